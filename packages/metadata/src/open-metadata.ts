import { realpathSync } from 'node:fs'
import type { ContainerStore } from '@nsbox/core/containers'
import { type ContentStore, type Durability, IngestLocks } from '@nsbox/core/content'
import type { Applier } from '@nsbox/core/diff'
import type { ObjectReader } from '@nsbox/core/disk'
import type { ImageStore } from '@nsbox/core/images'
import type { LeaseStore } from '@nsbox/core/leases'
import type { SandboxStore } from '@nsbox/core/sandboxes'
import type { Snapshotter } from '@nsbox/core/snapshots'
import type { PathUses } from '@nsbox/core/tasks'
import { NsboxError, shownName } from '@nsbox/errors'
import { type NamespaceStore, requireNamespace } from '@nsbox/namespaces'
import { type Database, openDatabase } from '@nsbox/sqlite'
import { type Clock, systemClock } from '@nsbox/time'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import {
  type Collection,
  type CollectionResult,
  Collector,
  type CollectorSchedule,
} from './collector/collector.ts'
import type { Marking } from './collector/marking.ts'
import { containerStore } from './containers/container-store.ts'
import { type Restartable, restartable } from './containers/restartable.ts'
import { BlobGate } from './content/blob-gate.ts'
import type { ContentParts } from './content/content-parts.ts'
import { contentView } from './content/content-view.ts'
import { type Policy, Sharing } from './content/sharing.ts'
import { type EventListener, EventOutbox } from './database/event-outbox.ts'
import { type Answers, Ledger } from './database/ledger.ts'
import { type Log, silent } from './database/log.ts'
import { migrations } from './database/schema.ts'
import { objectReader } from './disk/object-reader.ts'
import { imageStore } from './images/image-store.ts'
import type { Scope } from './leases/lease-binding.ts'
import { leaseStore } from './leases/lease-store.ts'
import { namespaceStore } from './namespaces/namespace-store.ts'
import { sandboxStore } from './sandboxes/sandbox-store.ts'
import { BackingsInUse, dropUnfinishedBackings } from './snapshots/backings-in-use.ts'
import { CommitsUnderWay } from './snapshots/commits-under-way.ts'
import { FreshBackings } from './snapshots/fresh-backings.ts'
import { recordingApplier } from './snapshots/recording-applier.ts'
import { RemovalsUnderWay } from './snapshots/removals-under-way.ts'
import type { SnapshotParts } from './snapshots/snapshot-parts.ts'
import type { AdoptionOptions } from './snapshots/snapshot-row.ts'
import { snapshotView } from './snapshots/snapshot-view.ts'
import { snapshotUses } from './snapshots/use-snapshots.ts'

/** How to open a metadata store. */
export interface MetadataOptions {
  /** The database's file. */
  readonly path: string
  /**
   * The bytes of all namespaces. This store owns it, and removes a blob or ingest that no namespace has, but leaves it
   * open when it is closed.
   */
  readonly content: ContentStore
  /**
   * The files of the snapshots of all namespaces, by the snapshotter's name, such as `overlayfs`; none by default.
   * Owned like `content`.
   */
  readonly snapshotters?: ReadonlyMap<string, Snapshotter> | undefined
  /** `shared` by default. */
  readonly policy?: Policy | undefined
  /** `full` by default; see `DatabaseOptions`. */
  readonly durability?: Durability | undefined
  /** `durable` by default. */
  readonly answers?: Answers | undefined
  /** Called with every event, in order, once the change behind it is on disk. */
  readonly onEvent?: EventListener | undefined
  /** Whether there is a subscriber for an event that happens now; if not, `onEvent` is not called. True by default. */
  readonly isHeard?: (() => boolean) | undefined
  readonly collector?: CollectorSchedule | undefined
  /** Called after each collection, also one that failed; must not throw. */
  readonly onCollection?: ((collection: Collection) => void) | undefined
  readonly log?: Log | undefined
  /** `systemClock` by default. */
  readonly clock?: Clock | undefined
  /** Called when a sync has failed; ends the process by default. */
  readonly onFatal?: ((error: unknown) => void) | undefined
}

/** One namespace, as plain stores. */
export interface NamespaceView extends ObjectReader {
  readonly images: ImageStore
  readonly content: ContentStore
  readonly leases: LeaseStore
  /** No lease holds a container. A container holds its snapshot, and what its labels refer to, until it is deleted. */
  readonly containers: ContainerStore
  /** No lease holds a sandbox, and a sandbox holds what its labels refer to until it is deleted. */
  readonly sandboxes: SandboxStore

  /**
   * The namespace's snapshots of one snapshotter; with layer directories if that has them. Writing to one by other
   * means than the namespace's applier must be announced by `Metadata.use`.
   * @throws `invalid_argument` for an unknown name
   */
  snapshotter(name: string, options?: AdoptionOptions): Snapshotter

  /**
   * An applier of the namespace's blobs to its snapshots. It works like `applier`, and records which layer a snapshot
   * is made of, so that other namespaces can share it. `applier` gets one mount of the directory that was checked, by a
   * path that only this process has.
   *
   * Besides the errors of `applier`: `not_found` for a blob that the namespace does not have; `invalid_argument` for
   * contradictory mounts, `unimplemented` for mounts that no layer can be applied to; `failed_precondition` for mounts
   * that lead into a committed snapshot, `unavailable` while it is being committed.
   */
  applier(applier: Applier): Applier
}

/**
 * The metadata of all namespaces. Unless answers are held, a call resolves only when the data behind its answer are on
 * disk.
 *
 * Before unobserved code runs, such as a task, the caller registers its paths by `use`: snapshots that it can write to
 * are not shared from then on, and the files of all used snapshots stay until the use is disposed of, even after
 * `remove` or a collection. Uses outlive a process by their records.
 */
export interface Metadata extends AsyncDisposable, PathUses {
  readonly namespaces: NamespaceStore

  /**
   * A view of one namespace, which need not exist: it is made when something is stored in it. The lease of a view holds
   * what is made through it; making something fails with `not_found` if there is no such lease.
   * @throws `failed_precondition` for an empty name, `invalid_argument` for a malformed one
   */
  namespace(name: string, options?: { readonly lease?: string | undefined }): NamespaceView

  /**
   * Starts the collector of a store that was opened with `collector: { manual: true }`. Call `resume` before for all
   * uses of an earlier process: others no longer keep anything.
   */
  startCollector(): void

  /** Collects garbage; the collection begins after the call and has ended when the promise resolves. */
  collect(options?: { readonly signal?: AbortSignal | undefined }): Promise<CollectionResult>

  /** The containers of all namespaces with the label `containerd.io/restart.status`, by namespace and id. */
  restartable(options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Restartable>

  /** Resolves once everything done before the call is on disk. */
  durable(): Promise<void>
}

/** Views that are kept for the next calls of their clients: to make one takes a twentieth of a small call. */
const maxViews = 128

/**
 * Opens a metadata store, and starts its collector.
 * @throws as `openDatabase`
 */
export async function openMetadata(options: MetadataOptions): Promise<Metadata> {
  const { path, durability, onFatal, log = silent } = options
  const onCheckpointError = (err: unknown) => log.warn({ err }, 'checkpoint of the database')
  const db = await openDatabase({ path, migrations, durability, onFatal, onCheckpointError })
  return createMetadata(db, options, realpathSync(path))
}

/**
 * A metadata store over a database, which is closed with it.
 * @param databasePath the database's file without symbolic links, if it is one
 */
export function createMetadata(
  db: Database,
  options: Omit<MetadataOptions, 'path'>,
  databasePath?: string,
): Metadata {
  const { content: backend, policy = 'shared', log = silent, clock = systemClock } = options
  const { snapshotters = new Map() } = options
  const stack = new AsyncDisposableStack()
  stack.use(db)
  const outbox = new EventOutbox({
    durable: () => db.durable(),
    onEvent: options.onEvent ?? (() => undefined),
    isHeard: options.isHeard ?? (() => options.onEvent !== undefined),
    onError: (err) => log.warn({ err }, 'handing on an event'),
  })
  stack.defer(() => outbox.flushed())
  const gate = new BlobGate()
  const locks = new IngestLocks(clock.now)
  const commits = new CommitsUnderWay()
  const removals = new RemovalsUnderWay()
  const inUse = new BackingsInUse()
  const markings = new Set<Marking>()
  const collector = stack.use(
    new Collector({
      ledger: new Ledger(db, outbox, () => undefined, { markings }),
      markings,
      backend,
      snapshotters,
      gate,
      locks,
      commits,
      removals,
      inUse,
      clock,
      log,
      onCollection: options.onCollection ?? (() => {}),
      schedule: options.collector ?? {},
    }),
  )
  const ledger = new Ledger(db, outbox, (namespace) => collector.touched(namespace), {
    answers: options.answers,
    markings,
  })
  const parts: ContentParts & SnapshotParts = {
    ...{ ledger, collector, clock, sharing: new Sharing(policy) },
    ...{ gate, locks, backend },
    commits,
    removals,
    fresh: new FreshBackings(),
    inUse,
  }
  const startCollector = () => {
    db.transaction((tx) => dropUnfinishedBackings(tx, inUse))
    collector.start()
  }
  if (options.collector?.manual !== true) startCollector()

  const newView = (scope: Scope): NamespaceView => ({
    ...objectReader({ ...parts, snapshotters }, scope.namespace),
    images: imageStore(parts, scope),
    content: contentView(parts, scope),
    leases: leaseStore(parts, scope.namespace),
    containers: containerStore(parts, scope.namespace),
    sandboxes: sandboxStore(parts, scope.namespace),
    snapshotter(snapshotter, { contentOf } = {}) {
      const backend = snapshotters.get(snapshotter)
      if (backend === undefined)
        throw new NsboxError('invalid_argument', `snapshotter not loaded: ${shownName(snapshotter)}`)
      return snapshotView(parts, { ...scope, snapshotter, contentOf }, backend)
    },
    applier: (applier) => recordingApplier(parts, scope, snapshotters, applier),
  })
  const views = new Map<string, NamespaceView>()
  return {
    ...snapshotUses({ ...parts, databasePath }),
    namespaces: namespaceStore(ledger, collector),
    namespace(name, { lease } = {}) {
      const scope = { namespace: requireNamespace(name), lease: lease || undefined }
      // No name of a namespace has a slash.
      const key = `${scope.namespace}/${scope.lease ?? ''}`
      const known = views.get(key)
      if (known !== undefined) return known
      const view = newView(scope)
      views.set(key, view)
      if (views.size > maxViews) views.delete(views.keys().next().value!)
      return view
    },
    startCollector,
    collect: (collection) => collector.collect(collection),
    restartable: (listing) => restartable(ledger, listing),
    durable: () => db.durable(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
