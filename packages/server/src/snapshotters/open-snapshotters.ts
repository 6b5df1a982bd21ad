import { join } from 'node:path'
import type { ForeignSnapshots, Snapshotter } from '@nsbox/core/snapshots'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import {
  type LocalSnapshotter,
  type OpenSnapshotterOptions,
  openNativeSnapshotter,
  openOverlaySnapshotter,
} from '@nsbox/snapshots'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { Logger } from 'pino'
import type { PluginConnection } from '../proxy-plugins/plugin-connection.ts'
import { type ProxiedSnapshotterOptions, proxiedSnapshotter } from '../proxy-plugins/proxied-snapshotter.ts'

/** A snapshotter, which may not work on this host. */
export interface SnapshotterEntry {
  readonly name: string
  /** Its directory; undefined for one of another process. */
  readonly root?: string
  /** The other process. */
  readonly connection?: Pick<PluginConnection, 'plugin' | 'failure'>
  /** Absent if it does not work on this host. */
  readonly snapshotter?: LocalSnapshotter | (Snapshotter & ForeignSnapshots)
  /** Why it does not work. */
  readonly refusal?: NsboxError
}

/** The snapshotters of a server. Disposing of it closes them. */
export interface OpenSnapshotters extends AsyncDisposable {
  readonly entries: readonly SnapshotterEntry[]
  /** Those that work, by name. */
  readonly loaded: ReadonlyMap<string, Snapshotter>
}

type Open = (options: OpenSnapshotterOptions) => Promise<LocalSnapshotter>

const kinds: Readonly<Record<string, Open>> = {
  overlayfs: openOverlaySnapshotter,
  native: openNativeSnapshotter,
}

/** Codes of a snapshotter that does not work on this host. Any other error is a fault. */
const refusals: ReadonlySet<string> = new Set(['permission_denied', 'unimplemented', 'failed_precondition'])

/** How to open snapshotters. */
export interface OpenSnapshottersOptions {
  /** The directory with a subdirectory for each snapshotter, by its name. */
  readonly root: string
  readonly durability: 'full' | 'relaxed'
  /** The processes that serve one each; none by default. */
  readonly proxied?: ProxiedSnapshotterOptions & { readonly connections: readonly PluginConnection[] }
  readonly log: Logger
}

/**
 * Opens every snapshotter that works on this host: a server does without one that the kernel, the user's rights or the
 * file system do not allow. Those of other processes need not be there yet.
 *
 * @throws `invalid_argument` for one of another process that has the name of one of these; the errors of one that would
 * work here but whose data are damaged or unreadable
 */
export async function openSnapshotters({
  root: parent,
  durability,
  proxied,
  log,
}: OpenSnapshottersOptions): Promise<OpenSnapshotters> {
  await using opening = new AsyncDisposableStack()
  const attempts = Object.entries(kinds).map(async ([name, open]): Promise<SnapshotterEntry> => {
    const root = join(parent, name)
    const onLeftover = (err: unknown) => log.warn({ err, snapshotter: name }, 'removing files of a snapshot')
    try {
      return { name, root, snapshotter: opening.use(await open({ root, durability, onLeftover })) }
    } catch (error) {
      if (!isRefusal(error)) throw error
      log.warn({ err: error, snapshotter: name }, 'a snapshotter does not work on this host')
      return { name, root, refusal: error }
    }
  })
  // After an error the others have to be open before they can be closed.
  await Promise.allSettled(attempts)
  const entries = await Promise.all(attempts)
  const loaded = new Map<string, Snapshotter>(
    entries.flatMap(({ name, snapshotter }) => (snapshotter === undefined ? [] : [[name, snapshotter]])),
  )
  for (const connection of proxied?.connections ?? []) {
    const { name } = connection.plugin
    if (entries.some((entry) => entry.name === name))
      throw new NsboxError('invalid_argument', `proxy plugin ${name}: another snapshotter has that name`)
    const snapshotter = proxiedSnapshotter(connection, proxied!)
    loaded.set(name, snapshotter)
    entries.push({ name, connection, snapshotter })
  }
  const resources = opening.move()
  return { entries, loaded, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

function isRefusal(error: unknown): error is NsboxError {
  return isNsboxError(error) && refusals.has(error.code)
}
