/**
 * Roles of the descriptors of a process. A supervisor and its client both hold them, under these names.
 *
 * - `pidfd`: the process itself; `logger`: the program that reads its output.
 * - `stdin`: the writing end of the process's input pipe; `stdout`, `stderr`: the reading ends of its output pipes;
 *   `terminal`: the supervisor's side of its terminal.
 * - `stdin-source`: the source of its input; `stdin-keep`: a writer of the same FIFO, so that the input does not end
 *   when another writer leaves. A process that waits for its start has none before that.
 * - `stdout-sink`, `stderr-sink`: the destinations of its outputs.
 */
export const roles = [
  'pidfd',
  'logger',
  'stdin',
  'stdout',
  'stderr',
  'terminal',
  'stdin-source',
  'stdin-keep',
  'stdout-sink',
  'stderr-sink',
] as const

export type Role = (typeof roles)[number]

/** Descriptors by role. */
export type Ends = ReadonlyMap<Role, number>
