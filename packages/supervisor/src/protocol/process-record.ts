import { NsboxError } from '@nsbox/errors'
import type { Fields } from './fields.ts'

/** Where input comes from and output goes: paths and URIs; empty for nothing. */
export interface ProcessIo {
  /** A FIFO, or a file that is read to its end. */
  readonly stdin: string
  /** A FIFO, a file that exists, or a URI as `outputTarget` reads it. */
  readonly stdout: string
  /** Empty where `stdout` is a URI that stands for both, and for a process with a terminal, which has one output. */
  readonly stderr: string
  /** Whether the process has a terminal. */
  readonly terminal: boolean
}

/** How a process ended, as it is sent and kept on disk. */
export interface ExitRecord {
  readonly exitStatus: number
  /** Milliseconds since 1970. */
  readonly exitedAt: number
  /** Nobody can tell the status; the one that is given only stands for it. */
  readonly unknown?: true | undefined
}

/** What a supervisor knows of a process besides its descriptors. */
export interface ProcessRecord {
  readonly key: string
  readonly pid: number
  /** When it started, by the kernel's clock, as `/proc/<pid>/stat` has it; a process of this number that did not start then is another one. */
  readonly startTime: string
  readonly io: ProcessIo
  /** No more input comes. */
  readonly stdinEnded: boolean
  readonly exit?: ExitRecord | undefined
  /** No descriptor of its input and output is open any more. */
  readonly drained: boolean
}

/** Numbers that the kernel and the answers to clients have room for. */
export const mostPid = 2 ** 31 - 1
const mostStatus = 2 ** 32 - 1
/** The last millisecond that a `Date` can be. */
const lastTime = 8_640_000_000_000_000

/**
 * @param expected the key of the process that was asked for; any by default
 * @throws `invalid_argument` for anything but a record, and for that of another process
 */
export function readProcessRecord(fields: Fields, expected?: string): ProcessRecord {
  const io = fields.object('io')
  const exit = fields.optionalObject('exit')
  const key = fields.string('key', 512)
  if (expected !== undefined && key !== expected)
    throw new NsboxError('invalid_argument', `message of a supervisor: ${key} instead of ${expected}`)
  return {
    key,
    pid: fields.count('pid', mostPid),
    startTime: fields.string('startTime', 32),
    io: readIo(io),
    stdinEnded: fields.boolean('stdinEnded'),
    exit: exit && readExit(exit),
    drained: fields.boolean('drained'),
  }
}

/** @throws `invalid_argument` for anything else */
export function readExit(fields: Fields): ExitRecord {
  const unknown = fields.has('unknown') && fields.boolean('unknown')
  return {
    exitStatus: fields.count('exitStatus', mostStatus),
    exitedAt: fields.count('exitedAt', lastTime),
    ...(unknown ? { unknown } : {}),
  }
}

/** @throws `invalid_argument` for anything else */
export function readIo(fields: Fields): ProcessIo {
  return {
    stdin: fields.string('stdin', 32_768),
    stdout: fields.string('stdout', 32_768),
    stderr: fields.string('stderr', 32_768),
    terminal: fields.boolean('terminal'),
  }
}
