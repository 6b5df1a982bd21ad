import * as v from 'valibot'
import { integer, key, number, pid, text } from './schema.ts'

const path = text(32_768)

export const processIo = v.object({
  /** A FIFO, or a file that is read to its end. */
  stdin: path,
  /** A FIFO, a file that exists, or a URI as `outputTarget` reads it. */
  stdout: path,
  /** Empty where `stdout` is a URI that stands for both, and for a process with a terminal, which has one output. */
  stderr: path,
  /** Whether the process has a terminal. */
  terminal: v.boolean(),
})

/** Where input comes from and output goes: paths and URIs; empty for nothing. */
export type ProcessIo = Readonly<v.InferOutput<typeof processIo>>

/** The year 9999, after which a time is none. */
const lastTime = Date.UTC(9999, 0)

export const exitRecord = v.object({
  exitStatus: integer(0, 2 ** 32 - 1),
  /** Milliseconds since 1970, with or without microseconds after the point. */
  exitedAt: number(0, lastTime),
  /** Nobody can tell the status; the one that is given only stands for it. */
  unknown: v.optional(v.boolean()),
})

/** How a process ended, as it is sent and kept on disk. */
export type ExitRecord = Readonly<v.InferOutput<typeof exitRecord>>

export const processRecord = v.object({
  key,
  pid,
  /** As `/proc/<pid>/stat` has it; a process of this number that did not start then is another one. */
  startTime: text(32),
  io: processIo,
  /** No more input comes. */
  stdinEnded: v.boolean(),
  exit: v.optional(exitRecord),
  /** No descriptor of its input and output is open any more. */
  drained: v.boolean(),
})

/** What a supervisor knows of a process besides its descriptors. */
export type ProcessRecord = Readonly<v.InferOutput<typeof processRecord>>
