import { open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Durability } from '@nsbox/core/snapshots'
import { withErrorContext } from '@nsbox/errors'
import { openDatabase } from '@nsbox/sqlite'
import { syncfs } from '@nsbox/sys'
import { type Clock, systemClock } from '@nsbox/time'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { LocalSnapshotterParts } from './local-snapshotter.ts'
import { makePrivateDirectory } from './make-directory.ts'
import { migrations } from './schema.ts'
import { SnapshotDirectories } from './snapshot-directories.ts'
import type { SnapshotForm } from './snapshot-form.ts'
import { chainOf, lastId, uncommitted } from './snapshot-table.ts'
import { TrustedSync } from './trusted-sync.ts'

export interface OpenSnapshotterOptions {
  /** The directory of the snapshotter, made if it is missing; afterwards only its owner may enter it. */
  readonly root: string
  /** `full` by default. */
  readonly durability?: Durability | undefined
  /** `systemClock` by default. */
  readonly clock?: Clock | undefined
  /** Syncs the whole file system of an open file; `syncfs` by default. */
  readonly sync?: ((fd: number) => Promise<void>) | undefined
  /** Called with the reason if files of a removed snapshot are still there. `cleanup` tries again, and throws it. */
  readonly onLeftover?: ((error: unknown) => void) | undefined
}

/**
 * Opens a snapshotter in a directory.
 *
 * @param formIn finds the form of snapshots in the directory; adds what it opens to the stack
 * @param make makes the snapshotter from its parts, and takes ownership of them
 */
export async function openLocalSnapshotter<F extends SnapshotForm, S>(
  options: OpenSnapshotterOptions,
  formIn: (root: string, opened: AsyncDisposableStack) => Promise<F>,
  make: (parts: LocalSnapshotterParts & { readonly form: F }) => S,
): Promise<S> {
  const { durability = 'full', clock = systemClock, sync = syncfs, onLeftover = () => undefined } = options
  const root = resolve(options.root)
  return await withErrorContext(`opening snapshotter ${root}`, async () => {
    await using opened = new AsyncDisposableStack()
    await makePrivateDirectory(root)
    const form = await formIn(root, opened)
    // Open for as long as the snapshotter is, so that no failure to write is missed between two commits.
    const disk = await open(root, 'r')
    opened.defer(() => disk.close())
    const db = opened.use(await openDatabase({ path: join(root, 'metadata.db'), migrations, durability }))
    const directories = await SnapshotDirectories.open(root, lastId(db))
    const existing = await directories.existing()
    for (const { id, kind, parent } of uncommitted(db)) {
      if (existing.has(id)) continue
      // After a power cut the directory is missing. It is synced at commit only, so nothing in it had been synced.
      const parents = chainOf(db, parent).map((link) => directories.path(link))
      await directories.makeAgain(id, async (path) => {
        await form.create({ path, kind, parents }, {})
      })
    }
    const owned = opened.move()
    return make({
      db,
      directories,
      form,
      sync: new TrustedSync({
        sync: durability === 'full' ? () => sync(disk.fd) : async () => undefined,
        lastId: () => directories.lastId,
      }),
      close: () => owned.disposeAsync(),
      clock,
      onLeftover,
    })
  })
}
