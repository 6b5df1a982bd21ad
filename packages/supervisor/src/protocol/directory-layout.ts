import { join } from 'node:path'
import type { LaunchPaths } from '../supervisor.ts'

/** Files in a supervisor's directory. */
export const files = {
  /** The socket of messages. */
  control: 'control',
  /** The socket that descriptors come through. */
  descriptors: 'descriptors',
  /** The supervisor's own number and start, for when it does not answer. */
  process: 'process',
  /** What is known of each process. */
  records: 'records',
  /** Sockets and pid files of launches under way. */
  launches: 'launches',
  /** What it has to complain of. */
  log: 'log',
} as const

/** A launch as far as its files are concerned. */
export interface LaunchFiles {
  /** Short and unlike that of any other. */
  readonly name: string
  readonly terminal: boolean
  /** The caller's own, if it has one. */
  readonly pidFile: string | undefined
}

/** What a program that makes a process is given. */
export function launchPaths(directory: string, { name, terminal, pidFile }: LaunchFiles): LaunchPaths {
  const base = join(directory, files.launches, name)
  return { pidFile: pidFile ?? `${base}.pid`, consoleSocket: terminal ? `${base}.tty` : undefined }
}
