import type { IdMapping } from './id-mapping.ts'
import type { Linux } from './linux.ts'
import type { Process } from './process.ts'

/**
 * A container's `config.json` (OCI runtime specification 1.2, config.md), in the specification's own names, as far as
 * nsbox reads or writes it. A value may have more fields than are declared here: options and `parseSpec` keep them.
 *
 * Integers that a double cannot hold, such as the limit "infinity" of a resource, are bigints; see `encodeSpec`.
 */
export interface Spec {
  readonly ociVersion: string
  readonly process?: Process | undefined
  readonly root?: Root | undefined
  readonly hostname?: string | undefined
  readonly domainname?: string | undefined
  readonly mounts?: readonly Mount[] | undefined
  readonly hooks?: Hooks | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly linux?: Linux | undefined
  /** Only carried along. */
  readonly windows?: Readonly<Record<string, unknown>> | undefined
}

export interface Root {
  /** Absolute, or relative to the bundle. */
  readonly path: string
  readonly readonly?: boolean | undefined
}

export interface Mount {
  readonly destination: string
  readonly type?: string | undefined
  readonly source?: string | undefined
  readonly options?: readonly string[] | undefined
  readonly uidMappings?: readonly IdMapping[] | undefined
  readonly gidMappings?: readonly IdMapping[] | undefined
}

/** Programs of the host that the runtime starts at points of a container's life. */
export interface Hooks {
  readonly prestart?: readonly Hook[] | undefined
  readonly createRuntime?: readonly Hook[] | undefined
  readonly createContainer?: readonly Hook[] | undefined
  readonly startContainer?: readonly Hook[] | undefined
  readonly poststart?: readonly Hook[] | undefined
  readonly poststop?: readonly Hook[] | undefined
}

/** The points that the specification names; a foreign spec may have others of any shape. */
export const hookPoints = [
  'prestart',
  'createRuntime',
  'createContainer',
  'startContainer',
  'poststart',
  'poststop',
] as const satisfies readonly (keyof Hooks)[]

export interface Hook {
  readonly path: string
  readonly args?: readonly string[] | undefined
  readonly env?: readonly string[] | undefined
  /** Seconds. */
  readonly timeout?: number | undefined
}
