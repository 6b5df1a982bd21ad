import * as v from 'valibot'
import { errorFields } from './error-fields.ts'
import { exitRecord, processRecord } from './process-record.ts'
import { integer, key, list, pid, text } from './schema.ts'

/** What all answers have, or else are no answers but notices. */
export const answer = v.object({ reply: v.optional(integer()), error: v.optional(errorFields) })

/** A supervisor's description of itself. */
export const identity = v.object({ build: text(256), cgroup: text(4096), pid })

/** A process, with its descriptors. */
export const processAnswer = v.object({ record: processRecord })

/** Besides the process, which of its descriptors are still needed. */
export const adoptAnswer = v.object({ holds: list(text(64), 100) })

/** What a supervisor tells on its own; what this build does not know is left alone. */
export const notices = {
  process: processAnswer,
  exit: v.object({ key, exit: exitRecord }),
  closed: v.object({ key, roles: list(text(64), 100), drained: v.boolean() }),
} as const

/** What all notices have. */
export const notice = v.object({ notice: text(64) })
