/**
 * Roles of the descriptors of a process. A supervisor and its client both hold them, under these names.
 *
 * - `pidfd`: the process itself; `logger`: the program that reads its output.
 * - `stdin`: the writing end of the process's input pipe; `stdout`, `stderr`: the reading ends of its output pipes;
 *   `terminal`: the supervisor's side of its terminal.
 * - `stdin-source`: input comes from here; `stdin-keep` is a writer of the same FIFO, so that a writer
 *   that leaves does not end it; a process that waits to be let run has none before.
 * - `stdout-sink`, `stderr-sink`: what the process writes goes there.
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

/** Descriptors by what they are for. */
export type Ends = ReadonlyMap<Role, number>
