import { open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Durability } from '@nsbox/core/snapshots'
import { withErrorContext } from '@nsbox/errors'
import { openDatabase } from '@nsbox/sqlite'
import { syncfs } from '@nsbox/sys'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { LocalSnapshotterParts } from './local-snapshotter.ts'
import { makePrivateDirectory } from './make-directory.ts'
import { migrations } from './schema.ts'
import { SnapshotDirectories } from './snapshot-directories.ts'
import type { SnapshotForm } from './snapshot-form.ts'
import { chainOf, lastId, uncommitted } from './snapshot-table.ts'
import { TrustedSync } from './trusted-sync.ts'

export interface OpenSnapshotterOptions {
  /** The directory of the snapshotter, made if it is missing; nobody but its owner may enter it afterwards. */
  readonly root: string
  /** `full` by default. */
  readonly durability?: Durability | undefined
  /** The clock, in milliseconds since the epoch; `Date.now` by default. */
  readonly now?: (() => number) | undefined
  /** Brings everything on the file system of an open file to its disk; `syncfs` by default. */
  readonly sync?: ((fd: number) => Promise<void>) | undefined
  /**
   * Told why files of a snapshot that was removed are still there; `cleanup` tries again, and says so if it fails. By
   * default nobody is told before.
   */
  readonly onLeftover?: ((error: unknown) => void) | undefined
}

/**
 * Opens a snapshotter in a directory.
 *
 * @param formIn finds out in which form snapshots are kept in the directory; what it opens it leaves to the stack
 * @param make makes the snapshotter of its parts, which are its own from then on
 */
export async function openLocalSnapshotter<F extends SnapshotForm, S>(
  options: OpenSnapshotterOptions,
  formIn: (root: string, opened: AsyncDisposableStack) => Promise<F>,
  make: (parts: LocalSnapshotterParts & { readonly form: F }) => S,
): Promise<S> {
  const { durability = 'full', now = Date.now, sync = syncfs, onLeftover = () => undefined } = options
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
      // A power cut has taken the directory, which is synced only at commit: so nothing in it had been synced.
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
      now,
      onLeftover,
    })
  })
}
