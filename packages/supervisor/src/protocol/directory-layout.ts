import { join } from 'node:path'
import type { LaunchPaths } from '../supervisor.ts'

/** Files in a supervisor's directory. */
export const files = {
  /** The socket of messages. */
  control: 'control',
  /** The socket for descriptors. */
  descriptors: 'descriptors',
  /** The supervisor's own pid and start time, for when it does not answer. */
  process: 'process',
  /** The records of processes. */
  records: 'records',
  /** Sockets and pid files of launches under way. */
  launches: 'launches',
  /** Its standard error. */
  log: 'log',
} as const

/** The part of a launch that names its files. */
export interface LaunchFiles {
  /** Short and unique. */
  readonly name: string
  readonly terminal: boolean
  /** The caller's own, if there is one. */
  readonly pidFile: string | undefined
}

/** The paths for a program that makes a process. */
export function launchPaths(directory: string, { name, terminal, pidFile }: LaunchFiles): LaunchPaths {
  const base = join(directory, files.launches, name)
  return { pidFile: pidFile ?? `${base}.pid`, consoleSocket: terminal ? `${base}.tty` : undefined }
}
