import * as v from 'valibot'
import { errorFields } from './error-fields.ts'
import { exitRecord, processRecord } from './process-record.ts'
import { integer, key, list, pid, text } from './schema.ts'

/** Fields of all answers; a message without `reply` is a notice. */
export const answer = v.object({ reply: v.optional(integer()), error: v.optional(errorFields) })

/** A supervisor's description of itself. */
export const identity = v.object({ build: text(256), cgroup: text(4096), pid })

/** A process, with its descriptors. */
export const processAnswer = v.object({ record: processRecord })

/** The process, and which of its descriptors are still needed. */
export const adoptAnswer = v.object({ holds: list(text(64), 100) })

/** Messages of a supervisor that are no answers; unknown ones are ignored. */
export const notices = {
  process: processAnswer,
  exit: v.object({ key, exit: exitRecord }),
  closed: v.object({ key, roles: list(text(64), 100), drained: v.boolean() }),
} as const

/** Fields of all notices. */
export const notice = v.object({ notice: text(64) })
