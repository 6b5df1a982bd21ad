import { chmod, mkdir, open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { openDatabase } from '@nsbox/sqlite'
import { syncfs } from '@nsbox/sys'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { Durability } from './durability.ts'
import { LocalSnapshotter } from './local-snapshotter.ts'
import { overlayForm } from './overlay/overlay-form.ts'
import { probeOverlay } from './overlay/probe-overlay.ts'
import { migrations } from './schema.ts'
import { SharedSync } from './shared-sync.ts'
import { SnapshotDirectories } from './snapshot-directories.ts'
import { chainOf, lastId, uncommitted } from './snapshot-table.ts'
import { withCodes } from './with-codes.ts'

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
 * Opens the overlay snapshotter in a directory. Only one at a time may be open on a directory, in all processes; whoever
 * opens it sees to that. Needs Linux and the right to mount, be it in a user namespace.
 *
 * @throws `failed_precondition` if the file system cannot hold layers of overlays; `permission_denied`,
 * `unimplemented`, `resource_exhausted` and others, as the system has it
 */
export async function openOverlaySnapshotter(options: OpenSnapshotterOptions): Promise<LocalSnapshotter> {
  const { durability = 'full', now = Date.now, sync = syncfs, onLeftover = () => undefined } = options
  const root = resolve(options.root)
  return await withCodes(`opening snapshotter ${root}`, async () => {
    await using opened = new AsyncDisposableStack()
    await mkdir(root, { recursive: true, mode: 0o700 })
    await chmod(root, 0o700)
    const form = overlayForm(await probeOverlay(root))
    const db = opened.use(await openDatabase({ path: join(root, 'metadata.db'), migrations, durability }))
    // Open for as long as the snapshotter is, so that no failure to write is missed between two commits.
    const disk = await open(root, 'r')
    opened.defer(() => disk.close())
    const directories = await SnapshotDirectories.open(root, lastId(db))
    const existing = await directories.existing()
    for (const { id, kind, parent } of uncommitted(db)) {
      if (existing.has(id)) continue
      // A power cut has taken the directory, which is synced only at commit: so nothing in it had been synced.
      const parents = chainOf(db, parent).map((link) => directories.path(link))
      await directories.makeAgain(id, (path) => form.create({ path, kind, parents }))
    }
    opened.move()
    return new LocalSnapshotter({
      db,
      directories,
      form,
      sync: new SharedSync(durability === 'full' ? () => sync(disk.fd) : async () => undefined),
      close: () => disk.close(),
      now,
      onLeftover,
    })
  })
}
