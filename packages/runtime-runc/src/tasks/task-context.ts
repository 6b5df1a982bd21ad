import type { ImageDirectories } from '@nsbox/bundle'
import type { DomainEvent } from '@nsbox/core/events'
import type { PathUses } from '@nsbox/core/tasks'
import type { Supervisor } from '@nsbox/supervisor'
import type { CgroupHost } from '../cgroups/cgroup-host.ts'
import type { OomWatcher } from '../cgroups/oom/oom-watch.ts'
import type { HostLimits } from '../rootless/host-limits.ts'
import type { VersionWarnings } from '../runc/version-warnings.ts'
import type { Shortcuts } from '../runc-internals/shortcuts.ts'

/** What all tasks of a runtime share. */
export interface TaskContext {
  readonly supervisor: Supervisor
  readonly shortcuts: Shortcuts
  /** Told of programs that make containers. */
  readonly versions?: Pick<VersionWarnings, 'used'> | undefined
  readonly cgroups: CgroupHost
  /** What containers cannot have here; undefined if this process is root of the host. */
  readonly limits: HostLimits | undefined
  readonly oom: OomWatcher
  /** Directories for images of checkpoints. */
  readonly images: ImageDirectories
  /** Paths of files that every bundle has under the same names: the FIFO of its log is one. */
  readonly shared: readonly string[]
  /** Tracks the paths of the host that tasks get. */
  readonly uses: PathUses
  /** Takes events, in order. Must not throw. */
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  /** Takes failures of background work. */
  readonly onWarning: (message: string, error?: unknown) => void
}

/** The supervisor's key of a process; identifiers have no slashes. */
export function processKey(namespace: string, containerId: string, execId?: string): string {
  return execId === undefined ? `${namespace}/${containerId}` : `${namespace}/${containerId}/${execId}`
}
