import { NsboxError } from '@nsbox/errors'
import { processAnswer } from '../protocol/answers.ts'
import type { ProcessRecord } from '../protocol/process-record.ts'
import { checked } from '../protocol/schema.ts'

/** The record of the requested process in an answer. @throws `invalid_argument` for that of another one */
export function recordOf(answer: object, key: string): ProcessRecord {
  const { record } = checked(processAnswer, answer)
  if (record.key === key) return record
  throw new NsboxError('invalid_argument', `message of a supervisor: ${record.key} instead of ${key}`)
}
