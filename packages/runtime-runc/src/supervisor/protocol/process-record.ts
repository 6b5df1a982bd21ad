import type { ProcessIo } from '@nsbox/core/tasks'
import type { Fields } from './fields.ts'

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

/** @throws `invalid_argument` for anything but a record */
export function readProcessRecord(fields: Fields): ProcessRecord {
  const io = fields.object('io')
  const exit = fields.optionalObject('exit')
  return {
    key: fields.string('key', 512),
    pid: fields.count('pid'),
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
    exitStatus: fields.count('exitStatus'),
    exitedAt: fields.count('exitedAt'),
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
