import type { CgroupsMode } from './launch-arguments.ts'
import { optionArguments } from './option-arguments.ts'

/** How to make a checkpoint; the defaults are those of the runtime. */
export interface CheckpointOptions {
  /** The directory for CRIU's images. */
  readonly imagePath: string
  /** Directory of CRIU's log and temporary files. */
  readonly workPath?: string | undefined
  /**
   * Images of an earlier checkpoint made with `preDump`, relative to `imagePath`; only pages changed since are written.
   */
  readonly parentPath?: string | undefined
  /** Whether the processes go on afterwards; false by default. */
  readonly leaveRunning?: boolean | undefined
  /** Whether to write memory only, and let the processes go on; false by default. */
  readonly preDump?: boolean | undefined
  readonly tcpEstablished?: boolean | undefined
  readonly externalUnixSockets?: boolean | undefined
  /** Whether processes of a shell's session are allowed; needed for those with a terminal. */
  readonly shellJob?: boolean | undefined
  readonly fileLocks?: boolean | undefined
  readonly cgroupsMode?: CgroupsMode | undefined
  /** Kinds of namespaces whose properties are not kept, such as `network`. */
  readonly emptyNamespaces?: readonly string[] | undefined
  /** `ADDRESS:PORT` of a CRIU page server that takes the pages of memory. */
  readonly pageServer?: string | undefined
  /** Whether pages are removed from the parent's images that this one has too. */
  readonly autoDedup?: boolean | undefined
}

export function checkpointArguments(options: CheckpointOptions): string[] {
  return optionArguments({
    'image-path': options.imagePath,
    'work-path': options.workPath,
    'parent-path': options.parentPath,
    'leave-running': options.leaveRunning,
    'pre-dump': options.preDump,
    'tcp-established': options.tcpEstablished,
    'ext-unix-sk': options.externalUnixSockets,
    'shell-job': options.shellJob,
    'file-locks': options.fileLocks,
    'manage-cgroups-mode': options.cgroupsMode,
    'empty-ns': options.emptyNamespaces,
    'page-server': options.pageServer,
    'auto-dedup': options.autoDedup,
  })
}
