import type { IdMapping } from './id-mapping.ts'
import type { Resources } from './resources.ts'
import type { Seccomp } from './seccomp.ts'

/** What config-linux.md of the runtime specification adds. */
export interface Linux {
  readonly uidMappings?: readonly IdMapping[] | undefined
  readonly gidMappings?: readonly IdMapping[] | undefined
  readonly sysctl?: Readonly<Record<string, string>> | undefined
  readonly resources?: Resources | undefined
  /** Absolute: below the root of the cgroup file system; `slice:prefix:name` with systemd's driver. */
  readonly cgroupsPath?: string | undefined
  readonly namespaces?: readonly Namespace[] | undefined
  /** Made in the container's `/dev`, beside those that every container has. */
  readonly devices?: readonly Device[] | undefined
  readonly seccomp?: Seccomp | undefined
  readonly rootfsPropagation?: string | undefined
  /** Unreadable for the container. */
  readonly maskedPaths?: readonly string[] | undefined
  readonly readonlyPaths?: readonly string[] | undefined
  readonly mountLabel?: string | undefined
  readonly intelRdt?: IntelRdt | undefined
}

export type NamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time'

/** A namespace of the container's own; without a path it is a new one. A type that is not listed is the host's. */
export interface Namespace {
  readonly type: NamespaceType
  readonly path?: string | undefined
}

export interface Device {
  readonly path: string
  /** Character device (buffered or not), block device, FIFO. */
  readonly type: 'c' | 'u' | 'b' | 'p'
  readonly major?: number | undefined
  readonly minor?: number | undefined
  /** Permission bits. */
  readonly fileMode?: number | undefined
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

/** A class of Intel's resource director: shares of cache and memory bandwidth. */
export interface IntelRdt {
  readonly closID?: string | undefined
  readonly l3CacheSchema?: string | undefined
  readonly memBwSchema?: string | undefined
  readonly enableCMT?: boolean | undefined
  readonly enableMBM?: boolean | undefined
}
