import type { AbortOptions } from '@nsbox/concurrency'
import type { Timestamp } from '@nsbox/time'
import type { Labels } from '../labels/labels.ts'
import type { OpaqueValue } from '../opaque-value.ts'

/** What runs the tasks of a container. */
export interface ContainerRuntime {
  /** Such as `io.containerd.runc.v2`. */
  readonly name: string
  /** Such as `containerd.runc.v1.Options`. */
  readonly options?: OpaqueValue | undefined
}

/**
 * A container: what to run and on which root filesystem. It is metadata only, and keeps what it names from being
 * collected; its running processes are its task (`@nsbox/core/tasks`).
 */
export interface Container {
  /** An identifier (docs/behaviour.md §1). */
  readonly id: string
  readonly labels: Labels
  /** Name of the image that it was made from, which need not exist; empty for none. */
  readonly image: string
  readonly runtime: ContainerRuntime
  /** Usually an OCI runtime spec as JSON, `types.containerd.io/opencontainers/runtime-spec/1/Spec`; kept verbatim. */
  readonly spec: OpaqueValue
  /** The snapshotter of `snapshotKey`; empty for none. */
  readonly snapshotter: string
  /** The snapshot that is the root filesystem; empty if the mounts are given when a task is created. */
  readonly snapshotKey: string
  /** What clients keep with the container, by name; kept verbatim. */
  readonly extensions: Readonly<Record<string, OpaqueValue>>
  /** The sandbox that it belongs to; empty for none. */
  readonly sandbox: string
  readonly createdAt: Timestamp
  readonly updatedAt: Timestamp
}

/** A new container. Absent fields are empty. */
export interface NewContainer extends Pick<Container, 'id' | 'runtime' | 'spec'> {
  readonly labels?: Labels | undefined
  readonly image?: string | undefined
  readonly snapshotter?: string | undefined
  readonly snapshotKey?: string | undefined
  readonly extensions?: Readonly<Record<string, OpaqueValue>> | undefined
  readonly sandbox?: string | undefined
}

/** The new values of an update. Only fields that its paths name are needed. */
export interface ContainerChange extends Omit<NewContainer, 'runtime' | 'spec'> {
  readonly runtime?: ContainerRuntime | undefined
  readonly spec?: OpaqueValue | undefined
}

/**
 * Containers by id. Labels must be within the limits of `@nsbox/namespaces` (`containers.Labels`), the runtime's name
 * and the spec must be set, a snapshot key needs a snapshotter and an extension a name; there are at most 1024
 * extensions, and 12 MiB of a container in all. Otherwise it is `invalid_argument` (the texts are in
 * docs/behaviour.md §1). The image and the snapshot need not exist.
 */
export interface ContainerStore {
  /** @throws `not_found` */
  get(id: string, options?: AbortOptions): Promise<Container>

  /**
   * The containers that match any of the filters (fields `id`, `image`, `runtime.name`, `labels.*`), ordered by id; all
   * of them if there is no filter.
   * @throws `invalid_argument` for a filter that does not parse
   */
  list(filters?: readonly string[], options?: AbortOptions): AsyncIterable<Container>

  /** @throws `already_exists`, `invalid_argument` */
  create(container: NewContainer, options?: AbortOptions): Promise<Container>

  /**
   * Takes the fields that the paths name from `change`, one after the other; the others stay, whatever `change` says.
   * Paths are `labels`, `labels.<key>`, `spec`, `extensions`, `extensions.<name>`, `image` and `snapshotkey`.
   * Without paths it takes all of these, and the snapshotter and the runtime's name must be what they are. An entry
   * that `change` lacks, or a label whose value is empty, is deleted. The id, the runtime, the snapshotter, the
   * creation time and the sandbox never change.
   *
   * @throws `not_found`; `invalid_argument` for an empty id, any other path, another snapshotter or runtime's name
   * where there are no paths, or a result that could not be created
   */
  update(change: ContainerChange, paths?: readonly string[], options?: AbortOptions): Promise<Container>

  /**
   * Deletes the container and releases what it held. Does not check whether it has a task.
   * @throws `not_found`
   */
  delete(id: string, options?: AbortOptions): Promise<void>
}
