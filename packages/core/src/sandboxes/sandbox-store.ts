import type { AbortOptions } from '@nsbox/concurrency'
import type { Timestamp } from '@nsbox/time'
import type { Labels } from '../labels/labels.ts'
import type { OpaqueValue } from '../opaque-value.ts'

/** What runs a sandbox. */
export interface SandboxRuntime {
  /** Such as `io.containerd.runc.v2`; empty for none, with which it cannot be run. */
  readonly name: string
  readonly options?: OpaqueValue | undefined
}

/**
 * A sandbox: containers can be put together in one, such as those of a pod. It is metadata only, and keeps what its
 * labels name from being collected.
 */
export interface Sandbox {
  /** An identifier (docs/behaviour.md §1). */
  readonly id: string
  readonly labels: Labels
  readonly runtime: SandboxRuntime
  /** For the runtime; kept verbatim. */
  readonly spec?: OpaqueValue | undefined
  /** What clients keep with the sandbox, by name; kept verbatim. */
  readonly extensions: Readonly<Record<string, OpaqueValue>>
  /** Name of the controller that the client has chosen; empty for none. */
  readonly sandboxer: string
  readonly createdAt: Timestamp
  readonly updatedAt: Timestamp
}

/** A new sandbox. Absent fields are empty. */
export interface NewSandbox extends Pick<Sandbox, 'id'> {
  readonly labels?: Labels | undefined
  readonly runtime?: SandboxRuntime | undefined
  readonly spec?: OpaqueValue | undefined
  readonly extensions?: Readonly<Record<string, OpaqueValue>> | undefined
  readonly sandboxer?: string | undefined
}

/** The new values of an update. Only fields that its paths name are needed. */
export type SandboxChange = Omit<NewSandbox, 'sandboxer'>

/**
 * Sandboxes by id. Labels must be within the limits of `@nsbox/namespaces` (`sandbox.Labels`), an extension needs a
 * name; there are at most 1024 extensions, and 12 MiB of a sandbox in all. Otherwise it is `invalid_argument`.
 */
export interface SandboxStore {
  /** @throws `not_found` */
  get(id: string, options?: AbortOptions): Promise<Sandbox>

  /**
   * The sandboxes that match any of the filters (fields `id` and `labels.*`), ordered by id; all of them if there is no
   * filter.
   * @throws `invalid_argument` for a filter that does not parse
   */
  list(filters?: readonly string[], options?: AbortOptions): AsyncIterable<Sandbox>

  /** @throws `already_exists`, `invalid_argument` */
  create(sandbox: NewSandbox, options?: AbortOptions): Promise<Sandbox>

  /**
   * Takes the fields that the paths name from `change`, one after the other; the others stay. Paths are `labels`,
   * `labels.<key>`, `extensions`, `extensions.<name>`, `spec` and `runtime`. Without paths it takes all of these, and
   * the runtime's name must be what it is. An entry that `change` lacks, or a label whose value is empty, is deleted.
   * The id, the sandboxer and the creation time never change.
   *
   * @throws `not_found`; `invalid_argument` for any other path, another runtime's name where there are no paths, or a
   * result that could not be created
   */
  update(change: SandboxChange, paths?: readonly string[], options?: AbortOptions): Promise<Sandbox>

  /** @throws `not_found` */
  delete(id: string, options?: AbortOptions): Promise<void>
}
