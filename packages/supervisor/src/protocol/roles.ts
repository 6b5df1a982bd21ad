/**
 * What the descriptors are for that belong to a process. A supervisor and its client both hold them, under these names.
 *
 * - `pidfd`: the process itself; `logger`: the program that takes its output.
 * - `stdin`: the end to write of the pipe that the process reads; `stdout`, `stderr`: the ends to read of those that it
 *   writes; `terminal`: the supervisor's side of its terminal.
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
