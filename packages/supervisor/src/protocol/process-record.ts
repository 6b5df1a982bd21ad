import * as v from 'valibot'
import { integer, key, number, pid, text } from './schema.ts'

const path = text(32_768)

export const processIo = v.object({
  /** A FIFO, or a file that is read to its end. */
  stdin: path,
  /** A FIFO, a file that exists, or a URI as `outputTarget` reads it. */
  stdout: path,
  /** Empty if the URI of `stdout` stands for both, and for a process with a terminal, which has one output. */
  stderr: path,
  /** Whether the process has a terminal. */
  terminal: v.boolean(),
})

/** Input and outputs of a process: paths and URIs; empty for none. */
export type ProcessIo = Readonly<v.InferOutput<typeof processIo>>

/** The cgroup of a process that ends with its client. */
export const endsWithClient = v.object({ cgroup: v.pipe(text(4096), v.startsWith('/')) })

/** The year 9999: later numbers are no times. */
const lastTime = Date.UTC(9999, 0)

export const exitRecord = v.object({
  exitStatus: integer(0, 2 ** 32 - 1),
  /** Milliseconds since 1970, maybe with a fraction for microseconds. */
  exitedAt: number(0, lastTime),
  /** Whether the exit status is unknown; the one given is a placeholder. */
  unknown: v.optional(v.boolean()),
})

/** How a process ended, in messages and on disk. */
export type ExitRecord = Readonly<v.InferOutput<typeof exitRecord>>

/**
 * The format of records in files, which have its number beside their fields. A new number comes with a new protocol; a
 * record without one is of format 1.
 */
export const recordFormat = 1

export const processRecord = v.object({
  key,
  pid,
  /** As in `/proc/<pid>/stat`; a process with this pid and another start time is another process. */
  startTime: text(32),
  io: processIo,
  /** The input has ended. */
  stdinEnded: v.boolean(),
  exit: v.optional(exitRecord),
  /** All descriptors of its input and output are closed. */
  drained: v.boolean(),
  endsWithClient: v.optional(endsWithClient),
})

/** What a supervisor stores about a process besides its descriptors. */
export type ProcessRecord = Readonly<v.InferOutput<typeof processRecord>>
