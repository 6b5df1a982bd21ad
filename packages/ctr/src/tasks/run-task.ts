import type { TaskHandle } from '@nsbox/client'
import { isNotFound } from '@nsbox/errors'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { runInForeground } from '../foreground/run-in-foreground.ts'
import type { Session } from '../session.ts'
import { writePidFile } from './write-pid-file.ts'

/** How a task is run. */
export interface RunTaskOptions {
  /** Leave it running and return at once. */
  readonly detach?: boolean | undefined
  readonly pidFile?: string | undefined
  /** What has to be done before it starts. */
  readonly beforeStart?: (() => Promise<void>) | undefined
  /** Called when it has started. */
  readonly onStart?: (() => void) | undefined
  /** Whether it ends when this command has to, instead of going on without. */
  readonly endsWithCommand?: boolean | undefined
}

/**
 * Starts a task that has been made. In the foreground it returns after the end of the task, which is removed then; the
 * exit status becomes that of this process. One that cannot be started is removed.
 */
export async function runTask(session: Session, task: TaskHandle, options: RunTaskOptions): Promise<void> {
  const { signal } = session
  await using owned = new AsyncDisposableStack()
  owned.use(task)
  // Not under the signal: after an interrupt there is still something to remove.
  await using undo = new AsyncDisposableStack()
  undo.defer(async () => {
    await endTask(task)
  })
  const start = async () => {
    await task.start({ signal })
    options.onStart?.()
    if (!options.endsWithCommand) undo.move()
  }
  if (options.pidFile !== undefined) await writePidFile(options.pidFile, task.pid)
  await options.beforeStart?.()
  if (options.detach) {
    await start()
    return
  }
  const { exitStatus } = await runInForeground(task, { session, start })
  await task.delete({ signal })
  undo.move()
  process.exitCode = exitStatus
}

/** Kills a task, if it is alive, waits for its end, and removes it. */
export async function endTask(task: TaskHandle, { signal }: { readonly signal?: AbortSignal } = {}) {
  const { status } = await task.status({ signal })
  // One that was never started is removed as it is.
  if (status !== 'created' && status !== 'stopped') {
    await unlessMissing(task.kill('SIGKILL', { signal }))
    // Frozen processes do not even die.
    if (status === 'paused' || status === 'pausing') await task.resume({ signal })
    await task.finished({ signal })
  }
  return await task.delete({ signal })
}

async function unlessMissing(done: Promise<void>): Promise<void> {
  try {
    await done
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
