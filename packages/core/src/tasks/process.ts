import type { OpaqueValue } from '../opaque-value.ts'

/** What state a process is in; `pausing` while its container is being frozen. */
export type ProcessStatus = 'created' | 'running' | 'stopped' | 'paused' | 'pausing' | 'unknown'

/**
 * Where a process reads from and writes to. Each of the three is empty for nothing, the path of a FIFO that the
 * client has made, or, for output, a URI: `file:///path`, `binary:///program?argument`, `binary-v2:///…`
 * (docs/behaviour.md §7).
 */
export interface ProcessIo {
  readonly stdin: string
  readonly stdout: string
  /** Always empty with a terminal, whose output has one stream. */
  readonly stderr: string
  /** Whether the process has a terminal of its own. */
  readonly terminal: boolean
}

/** The first process of a task, or a later one (an exec). */
export interface Process extends ProcessIo {
  readonly containerId: string
  /** Empty for the first process. */
  readonly execId: string
  /** As the host sees it; 0 before an exec has been started. */
  readonly pid: number
  readonly status: ProcessStatus
  /** How it ended; undefined before. */
  readonly exit?: ProcessExit | undefined
}

/** How a process ended. */
export interface ProcessExit {
  /** What it returned, or 128 and the number of the signal that ended it; 255 where nobody can tell any more. */
  readonly exitStatus: number
  readonly exitedAt: Date
}

/** A process that a container holds, whoever started it. */
export interface ProcessInfo {
  /** As the host sees it. */
  readonly pid: number
  /** What the runtime tells of it, such as `containerd.runc.v1.ProcessDetails` with the id of an exec. */
  readonly info?: OpaqueValue | undefined
}
