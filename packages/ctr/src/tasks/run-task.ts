import type { TaskHandle } from '@nsbox/client'
import { endTask } from '@nsbox/client'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { runInForeground } from '../foreground/run-in-foreground.ts'
import type { ContainerNetwork } from '../network/container-network.ts'
import type { Session } from '../session.ts'
import { writePidFile } from './write-pid-file.ts'

/** How a task is run. */
export interface RunTaskOptions {
  /** Leave it running and return at once. */
  readonly detach?: boolean | undefined
  readonly pidFile?: string | undefined
  /** The network that it is connected to before it starts, and until its end. */
  readonly network?: ContainerNetwork | undefined
  /** Called when it has started. */
  readonly onStart?: (() => void) | undefined
  /** Whether the task ends when this command is made to end; otherwise it goes on without the command. */
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
  // Without the signal: after an interrupt there is still something to remove.
  await using undo = new AsyncDisposableStack()
  const { network } = options
  if (network) undo.defer(() => network.disconnect())
  undo.defer(async () => {
    await endTask(task)
  })
  const connect = async () => {
    if (options.pidFile !== undefined) await writePidFile(options.pidFile, task.pid)
    await network?.connect(task.pid)
  }
  // A task that is restored from a checkpoint has no process before its start.
  const early = task.pid > 0
  const start = async () => {
    await task.start({ signal })
    if (!early) await connect()
    options.onStart?.()
    if (!options.endsWithCommand) undo.move()
  }
  if (early) await connect()
  if (options.detach) {
    await start()
    return
  }
  const { exitStatus } = await runInForeground(task, { session, start })
  await task.delete({ signal })
  await network?.disconnect()
  // Otherwise its start has done so; a second time is an error from Node 24 on.
  if (options.endsWithCommand) undo.move()
  process.exitCode = exitStatus
}
