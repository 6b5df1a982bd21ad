import type { Timestamp } from '@nsbox/time'
import type { Labels } from '../labels/labels.ts'
import type { OpaqueValue } from '../opaque-value.ts'
import type { Mount } from '../snapshots/mount.ts'
import type { ProcessIo } from '../tasks/process.ts'

/** The events that nsbox itself publishes: topic → payload (docs/behaviour.md §8). */
export interface EventPayloads {
  '/namespaces/create': { name: string; labels: Labels }
  '/namespaces/update': { name: string; labels: Labels }
  '/namespaces/delete': { name: string }
  '/content/create': { digest: string; size: number }
  '/content/delete': { digest: string }
  '/images/create': { name: string; labels: Labels }
  '/images/update': { name: string; labels: Labels }
  '/images/delete': { name: string }
  /** `parent` is empty for none. */
  '/snapshot/prepare': { key: string; parent: string; snapshotter: string }
  '/snapshot/commit': { key: string; name: string; snapshotter: string }
  '/snapshot/remove': { key: string; snapshotter: string }
  '/containers/create': {
    id: string
    image: string
    runtime: { name: string; options?: OpaqueValue | undefined }
  }
  '/containers/update': { id: string; image: string; labels: Labels; snapshotKey: string }
  '/containers/delete': { id: string }
  '/sandboxes/create': { sandboxId: string }
  '/sandboxes/start': { sandboxId: string }
  '/sandboxes/exit': { sandboxId: string; exitStatus: number; exitedAt: Timestamp }
  /** `checkpoint` is the directory with the images that the task goes on from, empty for none. */
  '/tasks/create': {
    containerId: string
    bundle: string
    rootfs: readonly Mount[]
    io: ProcessIo
    checkpoint: string
    pid: number
  }
  '/tasks/start': { containerId: string; pid: number }
  '/tasks/exec-added': { containerId: string; execId: string }
  '/tasks/exec-started': { containerId: string; execId: string; pid: number }
  /** `id` is that of the exec, or of the container for its first process. */
  '/tasks/exit': { containerId: string; id: string; pid: number; exitStatus: number; exitedAt: Timestamp }
  /** `id` as for an exit, but empty for the first process. */
  '/tasks/delete': { containerId: string; id: string; pid: number; exitStatus: number; exitedAt: Timestamp }
  '/tasks/oom': { containerId: string }
  '/tasks/paused': { containerId: string }
  '/tasks/resumed': { containerId: string }
  /** `checkpoint` is the digest of what was stored, or the directory. */
  '/tasks/checkpointed': { containerId: string; checkpoint: string }
}

export type EventTopic = keyof EventPayloads

/** An event of a domain. */
export type DomainEvent = { [T in EventTopic]: { topic: T; payload: EventPayloads[T] } }[EventTopic]

/** An event that a client has published, kept verbatim. */
export interface OpaqueEvent {
  topic: string
  opaque: { typeUrl: string; value: Uint8Array }
}

export type Event = DomainEvent | OpaqueEvent

/** An event with its time and namespace. */
export interface Envelope {
  readonly timestamp: Timestamp
  readonly namespace: string
  readonly event: Event
}
