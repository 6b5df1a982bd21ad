// The supervisor's program: node main.js --directory DIR --build NAME [--cgroup PATH] [--oom-score-adj NUMBER] Its
// standard output is one line of JSON: that clients can connect, or an error.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { serializeError } from '@nsbox/errors'
import { closeAllOnExec } from '@nsbox/sys/descriptors'
import { becomeSubreaper } from '@nsbox/sys/processes'
import { joinCgroup } from './join-cgroup.ts'
import { SupervisorServer } from './supervisor-server.ts'

// For a small process that lives long. Its work is short, so that to optimize it costs memory alone; the others let its
// heap grow slowly.
for (const flag of ['--no-opt', '--semi-space-growth-factor=1', '--heap-growing-percent=50'])
  setFlagsFromString(flag)

const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    build: { type: 'string', default: '' },
    cgroup: { type: 'string', default: '' },
    'oom-score-adj': { type: 'string' },
  },
})
if (values.directory === undefined) throw new Error('--directory is missing')

// A failure with one process must not end the others.
process.on('uncaughtException', (error) => console.error(error))
// These signals are ignored: they may stop the client and its session, but the supervisor stays for its processes.
// SIGUSR1 would open the port of Node's debugger, through which a container with the host's network and pids could run
// code as root (docs/threat-model.md E11).
for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const)
  process.on(signal, () => undefined)

process.on('SIGTERM', () => {
  terminated = true
  supervisor?.terminate()
})
let terminated = false
let supervisor: SupervisorServer | undefined

void serve(values.directory)

async function serve(directory: string): Promise<void> {
  try {
    becomeSubreaper()
    // Launched processes must not get what the client had inherited (docs/threat-model.md B18).
    closeAllOnExec()
    const adjustment = values['oom-score-adj']
    if (adjustment !== undefined) writeFileSync('/proc/self/oom_score_adj', adjustment)
    if (values.cgroup !== '') joinCgroup(values.cgroup)
    supervisor = new SupervisorServer({
      directory,
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
}
