import type { Applier } from '@nsbox/core/diff'
import type { LayerWorkers } from '@nsbox/diff'
import type { Metadata } from '@nsbox/metadata'
import type { Logger } from 'pino'
import type { ServerCounts } from '../counts/server-counts.ts'
import type { EventExchange } from '../events/event-exchange.ts'
import type { MountManager } from '../mounts/mount-manager.ts'
import type { RunningSandboxes } from '../sandboxes/running-sandboxes.ts'
import type { SnapshotterEntry } from '../snapshotters/open-snapshotters.ts'
import type { OpenRuntime } from '../tasks/open-runtime.ts'
import type { Tracer } from '../tracing/tracer.ts'
import type { PageLink } from '../web/web-page.ts'

/** The parts of a server that its services need. */
export interface RouteParts {
  readonly metadata: Metadata
  readonly snapshotters: readonly SnapshotterEntry[]
  /** Of the blobs of all namespaces. */
  readonly applier: Applier
  /** Threads that apply and make layers. */
  readonly workers: LayerWorkers
  readonly events: EventExchange
  readonly tasks: Pick<OpenRuntime, 'runtime' | 'refusal' | 'expectTask'>
  readonly mounts: MountManager
  readonly sandboxes: RunningSandboxes
  /** Directory of `hosts.toml` files, which a reload may change. */
  readonly hostsDir: () => string | undefined
  readonly counts: ServerCounts
  readonly tracer: Tracer
  /** Whether a namespace shares nothing with others. */
  readonly isAlone: (namespace: string) => boolean
  /** Makes a link to the page for browsers. @throws `failed_precondition` if there is none */
  readonly pageLink: () => PageLink
  /** Identity of the data root. */
  readonly uuid: string
  /** Aborted when the server begins to stop. */
  readonly stopping: AbortSignal
  readonly log: Logger
}
