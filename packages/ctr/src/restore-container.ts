import { removeContainer } from '@nsbox/client'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { requireRef } from './commands/containers-checkpoint.ts'
import { Terminal } from './foreground/terminal.ts'
import { requireDaemon } from './require-daemon.ts'
import { requireId } from './require-id.ts'
import type { Session } from './session.ts'
import { runTask } from './tasks/run-task.ts'
import { type StdioFlags, stdioOf } from './tasks/stdio-flags.ts'

/** What `containers restore` may be told. */
export interface RestoreFlags extends StdioFlags {
  readonly rw?: boolean
  readonly live?: boolean
  readonly trusted?: boolean
  readonly detach?: boolean
}

/** `containers restore` */
export async function restoreContainer(
  session: Session,
  flags: RestoreFlags,
  container: string | undefined,
  ref: string | undefined,
): Promise<void> {
  const { client, namedSnapshotter, signal } = session
  const { rw = false, live = false, trusted = false, detach = false } = flags
  if (detach) requireDaemon(session)
  const id = requireId(container)
  const task = await client.restore(id, requireRef(ref), {
    ...stdioOf(flags),
    ...{ rw, live, trusted, signal },
    snapshotter: namedSnapshotter,
    unpack: async (image, { platform, snapshotter, lease, signal }) => {
      // Loaded only here: most images are unpacked already.
      const { unpackImage } = await import('./unpack-image.ts')
      await unpackImage(client.withLease(lease), image, { snapshotterName: snapshotter, platform, signal })
    },
  })
  // A container whose task cannot be started is useless.
  await using removal = new AsyncDisposableStack()
  removal.defer(async () => removeContainer(session.client, await client.containers.get(id)))
  const foreground = task.terminal && !detach
  if (!foreground) requireDaemon(session)
  if (foreground) {
    await using unused = new AsyncDisposableStack()
    unused.defer(async () => {
      await task.delete()
    })
    Terminal.require()
    unused.move()
  }
  await runTask(session, task, { detach: !foreground, onStart: () => removal.move() })
}
