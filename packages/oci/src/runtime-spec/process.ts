import type { Integer } from './integer.ts'

/** The process of a container, or one more that is to run in it. */
export interface Process {
  readonly terminal?: boolean | undefined
  readonly consoleSize?: { readonly height: number; readonly width: number } | undefined
  readonly user: User
  readonly args?: readonly string[] | undefined
  /** `NAME=value` each. */
  readonly env?: readonly string[] | undefined
  readonly cwd: string
  readonly capabilities?: Capabilities | undefined
  readonly rlimits?: readonly Rlimit[] | undefined
  readonly noNewPrivileges?: boolean | undefined
  readonly apparmorProfile?: string | undefined
  readonly selinuxLabel?: string | undefined
  readonly oomScoreAdj?: number | undefined
  readonly ioPriority?: { readonly class: string; readonly priority: number } | undefined
}

export interface User {
  readonly uid: number
  readonly gid: number
  readonly umask?: number | undefined
  /** The process's supplementary groups. */
  readonly additionalGids?: readonly number[] | undefined
}

/** The capability sets of capabilities(7), by names such as `CAP_CHOWN`. */
export interface Capabilities {
  readonly bounding?: readonly string[] | undefined
  readonly effective?: readonly string[] | undefined
  readonly inheritable?: readonly string[] | undefined
  readonly permitted?: readonly string[] | undefined
  readonly ambient?: readonly string[] | undefined
}

/** The sets that the specification names; a foreign spec may have others of any shape. */
export const capabilitySets = [
  'bounding',
  'effective',
  'inheritable',
  'permitted',
  'ambient',
] as const satisfies readonly (keyof Capabilities)[]

/** A limit of getrlimit(2), such as `RLIMIT_NOFILE`. */
export interface Rlimit {
  readonly type: string
  readonly hard: Integer
  readonly soft: Integer
}
