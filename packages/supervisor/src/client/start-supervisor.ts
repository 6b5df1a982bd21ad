import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { deserializeError, NsboxError } from '@nsbox/errors'
import { closeAllOnExec } from '@nsbox/sys/descriptors'
import { files } from '../protocol/directory-layout.ts'
import type { SupervisorProgram } from './supervisor-program.ts'

const startTimeout = 20_000
/** The client's variables that programs need. Others stay private, and Node's options are for the client alone. */
const passedOn = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS']

/** How to start a supervisor. */
export interface StartSupervisorOptions {
  readonly program: SupervisorProgram
  /** A directory of its own, which must not exist. */
  readonly directory: string
  /** The cgroup for it; empty for the client's. */
  readonly cgroup: string
}

/**
 * Starts a supervisor in a session of its own, so that it outlives this process, and waits until clients can connect.
 * @throws `not_found` for the cgroup; `unavailable` if it does not start
 */
export async function startSupervisor({ program, directory, cgroup }: StartSupervisorOptions): Promise<void> {
  mkdirSync(directory, { mode: 0o700 })
  // It would keep inherited descriptors open for as long as it runs (docs/threat-model.md B18).
  closeAllOnExec()
  const log = openSync(join(directory, files.log), 'a', 0o600)
  const options = ['--directory', directory, '--build', program.build, '--cgroup', cgroup]
  const child = spawn(process.execPath, [...program.args, ...options, '--oom-score-adj', oomScore()], {
    detached: true,
    cwd: '/',
    env: Object.fromEntries(
      passedOn.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    stdio: ['ignore', 'pipe', log, ...(program.script === undefined ? [] : (['pipe'] as const))],
  })
  // If it ends before it has read all, its missing output reports that.
  const input = child.stdio[3] as Writable | undefined
  input?.on('error', () => undefined).end(program.script)
  closeSync(log)
  try {
    const said = await firstLine(child)
    if (said.error !== undefined) throw deserializeError(said.error)
    if (said.ready !== true) throw unavailable(readFileSync(join(directory, files.log), 'utf8').slice(-4096))
  } catch (error) {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
    throw error
  } finally {
    input?.destroy()
    child.stdout?.destroy()
    child.unref()
  }
}

async function firstLine(
  child: ReturnType<typeof spawn>,
): Promise<{ ready?: boolean; error?: Parameters<typeof deserializeError>[0] }> {
  let text = ''
  const signal = AbortSignal.timeout(startTimeout)
  const stdout = child.stdout!.setEncoding('utf8')
  const failed = once(child, 'error', { signal }).then(([error]) => {
    throw unavailable(String(error))
  })
  const said = (async () => {
    for await (const piece of stdout) {
      text += piece
      if (text.includes('\n') || text.length > 65_536) break
    }
  })()
  failed.catch(() => undefined)
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(unavailable(`not ready after ${startTimeout} ms`)))
  })
  await Promise.race([said, failed, late])
  try {
    return JSON.parse(text)
  } catch {
    // It ended without output; its log says more.
    return {}
  }
}

function unavailable(reason: string): NsboxError {
  return new NsboxError('unavailable', `the supervisor does not start: ${reason}`)
}

/** One more than the client's, so that it is killed first when memory runs out. */
function oomScore(): string {
  return String(Math.min(Number(readFileSync('/proc/self/oom_score_adj', 'utf8')) + 1, 1000))
}
