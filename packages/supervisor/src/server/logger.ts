import { spawn } from 'node:child_process'
import { closeSync, readSync } from 'node:fs'
import { isErrno, NsboxError } from '@nsbox/errors'
import { pipe } from '@nsbox/sys'
import { setNonBlocking } from '@nsbox/sys/descriptors'
import { openPidfd, signalPidfd } from '@nsbox/sys/processes'
import type { LogProgram } from '../protocol/output-target.ts'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import type { Reaper } from './reaper.ts'
import type { Watcher } from './watcher.ts'

const readyTimeout = 10_000
/** Milliseconds that the program may run after the process has ended, and then after SIGTERM. */
const endTimeout = 10_000
const killTimeout = 2_000

/** How to start a program that takes the output. */
export interface LoggerOptions {
  readonly watcher: Watcher
  readonly reaper: Reaper
  /** All its variables. */
  readonly env: Readonly<Record<string, string>>
  readonly stdout: number
  readonly stderr: number
  readonly signal: AbortSignal
}

/**
 * Starts a program that takes the output of a process on its descriptors 3 and 4, and waits until it signals on its
 * descriptor 5 that it is ready. Each wait is at most ten seconds (docs/threat-model.md D20). The role `logger` is
 * added to `ends`.
 *
 * @throws `not_found` for the program; `deadline_exceeded`, `failed_precondition` if it does not get ready
 */
export async function startLogger(
  target: LogProgram,
  ends: OwnedEnds,
  options: LoggerOptions,
): Promise<void> {
  const { watcher, reaper, env, stdout, stderr } = options
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(readyTimeout)])
  const ready = pipe(4096)
  let exited = false
  try {
    setNonBlocking(ready.read)
    const child = spawn(target.program, target.args, {
      // A process group of its own, so that its children can be ended with it.
      detached: true,
      cwd: '/',
      env,
      stdio: ['ignore', 'ignore', 'ignore', stdout, stderr, ready.write],
    })
    const { pid } = child
    if (pid === undefined) throw await notStarted(child, target.program)
    const seen = reaper.leaveToNode(pid)
    child.once('exit', () => {
      exited = true
      seen()
    })
    ends.add('logger', openPidfd(pid))
  } catch (error) {
    closeSync(ready.read)
    throw error
  } finally {
    closeSync(ready.write)
  }
  try {
    await new Promise<void>((resolve, reject) => {
      const look = () => {
        const said = readReady(ready.read)
        if (said === 'nothing') watcher.once(ready.read, 'read', look)
        else if (said === 'ready' || target.readyByEnd) resolve()
        else
          reject(
            new NsboxError('failed_precondition', `log program ${target.program} ended before it was ready`),
          )
      }
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      look()
    })
  } catch (error) {
    if (!exited) signalPidfd(ends.get('logger')!, 9)
    throw error
  } finally {
    watcher.forget(ready.read)
    closeSync(ready.read)
  }
}

/** Ends a program whose input has ended, if it does not end by itself. Closes the given descriptor. */
export function endLogger(watcher: Watcher, pidfd: number): void {
  const terminate = setTimeout(() => signalPidfd(pidfd, 15), endTimeout)
  const kill = setTimeout(() => signalPidfd(pidfd, 9), endTimeout + killTimeout)
  watcher.onceEnded(pidfd, () => {
    clearTimeout(terminate)
    clearTimeout(kill)
    watcher.forget(pidfd)
    closeSync(pidfd)
  })
}

function readReady(fd: number): 'ready' | 'end' | 'nothing' {
  try {
    return readSync(fd, Buffer.alloc(1)) === 1 ? 'ready' : 'end'
  } catch (error) {
    if (isErrno(error, 'EAGAIN')) return 'nothing'
    throw error
  }
}

async function notStarted(child: ReturnType<typeof spawn>, program: string): Promise<Error> {
  const error = await new Promise<Error>((resolve) => child.once('error', resolve))
  const code = isErrno(error, 'ENOENT')
    ? 'not_found'
    : isErrno(error, 'EACCES')
      ? 'permission_denied'
      : 'unknown'
  return new NsboxError(code, `log program ${JSON.stringify(program)}: ${error.message}`, { cause: error })
}
