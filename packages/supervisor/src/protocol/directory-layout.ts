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

/** What a program that makes a process is given. @param name of the launch, short and unlike that of any other */
export function launchPaths(directory: string, name: string, terminal: boolean): LaunchPaths {
  const base = join(directory, files.launches, name)
  return { pidFile: `${base}.pid`, consoleSocket: terminal ? `${base}.tty` : undefined }
}
