import { type ProcessHandle, retryWhileAway } from '@nsbox/client'
import type { ProcessExit } from '@nsbox/core/tasks'
import { isFailedPrecondition, isNotFound, undefinedIf } from '@nsbox/errors'
import { DisposableStack } from '@whatwg-node/disposablestack'
import type { Session } from '../session.ts'
import { writeOutput } from '../write-output.ts'
import { feedInput } from './feed-input.ts'
import { forwardSignals } from './forward-signals.ts'
import { Terminal } from './terminal.ts'

/**
 * Connects a process with the standard streams of this one until it has ended and all its output is written. With a
 * terminal, this process's is raw meanwhile and tells its size; without one, signals go to the process instead of
 * ending this command.
 *
 * @param start lets the process run, unless it runs already
 * @returns how it ended
 * @throws the reason of the session's signal, if the command is to end; an error of the standard output
 */
export async function runInForeground(
  target: ProcessHandle,
  { session, start }: { readonly session: Session; readonly start?: () => Promise<unknown> },
): Promise<ProcessExit> {
  const failed = new AbortController()
  const fail = (error: unknown) => failed.abort(error)
  const signal = AbortSignal.any([session.signal, failed.signal])
  using resources = new DisposableStack()
  if (target.terminal) Terminal.require()
  // When this command's input ends, the process's terminal must not end: that would hang it up.
  resources.use(feedInput(target.stdin, { end: !target.terminal, onError: fail }))
  // After the input, so that the input still exists when the terminal is given back.
  const terminal = target.terminal ? resources.use(Terminal.open()) : undefined
  const outputs = [
    target.stdout && writeOutput(target.stdout, process.stdout),
    target.stderr && writeOutput(target.stderr, process.stderr),
  ]
  for (const output of outputs) output?.catch(fail)
  if (terminal === undefined) {
    resources.use(forwardSignals(target, fail))
    session.leaveSignals()
  }
  const size = terminal && resources.use(new FollowedSize(target, terminal, fail))
  // A program may ask as soon as it runs.
  await size?.tell()
  await start?.()
  // The terminal of an exec is made by its start.
  await size?.tell()
  const exit = await target.finished({ signal })
  await Promise.all(outputs)
  return exit
}

/** Gives the process's terminal the size of this one's whenever that changes, until it is disposed of. */
class FollowedSize implements Disposable {
  readonly #target: ProcessHandle
  readonly #terminal: Terminal
  readonly #following: Disposable
  #told: Promise<void> = Promise.resolve()

  constructor(target: ProcessHandle, terminal: Terminal, fail: (error: unknown) => void) {
    this.#target = target
    this.#terminal = terminal
    this.#following = terminal.onResize(() => void this.tell().catch(fail))
  }

  /** Tells the size once earlier ones are told: of two at a time, the server might take the older one last. */
  tell(): Promise<void> {
    this.#told = this.#told.then(() => this.#tell())
    return this.#told
  }

  async #tell(): Promise<void> {
    const { size } = this.#terminal
    if (size === undefined) return
    try {
      await retryWhileAway(() => this.#target.resize(size))
    } catch (error) {
      // There is no terminal yet, or the process has ended meanwhile.
      if (!isNotFound(error) && !isFailedPrecondition(error) && !(await ended(this.#target))) throw error
    }
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]()
  }
}

/** containerd 1.7 has no code for a terminal that is gone. */
async function ended(target: ProcessHandle): Promise<boolean> {
  const found = await undefinedIf(isNotFound, target.status())
  return found === undefined || found.status === 'stopped'
}
