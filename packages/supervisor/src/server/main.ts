// The supervisor's program: node main.js --directory DIR --build NAME [--cgroup PATH] [--oom-score-adj NUMBER]
// Its standard output says in one line of JSON that clients can connect, or why they never will.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { serializeError } from '@nsbox/errors'
import { closeAllOnExec } from '@nsbox/sys/descriptors'
import { becomeSubreaper } from '@nsbox/sys/processes'
import { joinCgroup } from './join-cgroup.ts'
import { SupervisorServer } from './supervisor-server.ts'

const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    build: { type: 'string', default: '' },
    cgroup: { type: 'string', default: '' },
    'oom-score-adj': { type: 'string' },
  },
})
if (values.directory === undefined) throw new Error('--directory is missing')

// What goes wrong with one process must not take the others along.
process.on('uncaughtException', (error) => console.error(error))
// Its client may leave or be stopped with all that is in its session; this process stays for what it holds. Others
// would end it too if nobody listened, and SIGUSR1 would open the port of Node's debugger, through which whoever
// reaches the loopback interface could say what root does: a container with the network and the pids of the host can do
// both (docs/threat-model.md E11).
for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const)
  process.on(signal, () => undefined)

process.on('SIGTERM', () => {
  terminated = true
  supervisor?.terminate()
})
let terminated = false
let supervisor: SupervisorServer | undefined

try {
  becomeSubreaper()
  // What the client had inherited is not for what is launched (docs/threat-model.md B18).
  closeAllOnExec()
  const adjustment = values['oom-score-adj']
  if (adjustment !== undefined) writeFileSync('/proc/self/oom_score_adj', adjustment)
  if (values.cgroup !== '') joinCgroup(values.cgroup)
  supervisor = new SupervisorServer({
    directory: values.directory,
    build: values.build,
    cgroup: values.cgroup,
    // An ordinary exit would wait for the thread that waits for descriptors.
    onEnd: () => process.kill(process.pid, 'SIGKILL'),
  })
  await supervisor.start()
  if (terminated) supervisor.terminate()
  process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
} catch (error) {
  const { code, context, details } = serializeError(error)
  process.stdout.write(`${JSON.stringify({ error: { code, context, details } })}\n`, () =>
    process.kill(process.pid, 'SIGKILL'),
  )
}
