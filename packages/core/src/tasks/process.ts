import type { Timestamp } from '@nsbox/time'
import type { OpaqueValue } from '../opaque-value.ts'

/** The state of a process; `pausing` while its container is being frozen. */
export type ProcessStatus = 'created' | 'running' | 'stopped' | 'paused' | 'pausing' | 'unknown'

/**
 * Input and output of a process. Each of the three is empty for none, the path of a FIFO that the client has made, or,
 * for output, a URI: `file:///path`, `binary:///program?argument`, `binary-v2:///…` (docs/behaviour.md §7).
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
  /** The pid on the host; 0 before an exec has been started. */
  readonly pid: number
  readonly status: ProcessStatus
  /** How it ended; undefined before. */
  readonly exit?: ProcessExit | undefined
}

/** How a process ended. */
export interface ProcessExit {
  /** Its exit status, or 128 plus the number of the signal that killed it; 255 if it is unknown. */
  readonly exitStatus: number
  readonly exitedAt: Timestamp
}

/** A process in a container. */
export interface ProcessInfo {
  /** The pid on the host. */
  readonly pid: number
  /** Details of the runtime, such as `containerd.runc.v1.ProcessDetails` with the id of an exec. */
  readonly info?: OpaqueValue | undefined
}
