import * as v from 'valibot'
import { launchMessage } from './launch-message.ts'
import { processRecord } from './process-record.ts'
import { integer, key, list, text } from './schema.ts'

/**
 * The protocols between clients and supervisors that this build speaks, the preferred one first. A supervisor outlives
 * upgrades of its client, so a protocol that has been released stays in this list. Adding a field that may be absent
 * needs no new number.
 */
export const protocols: readonly number[] = [1]

const ofProcess = v.object({ key })

/** What each request of a client has besides its number and its method. */
export const requests = {
  hello: v.object({ protocols: list(v.pipe(v.number(), v.safeInteger()), 100), token: text(128) }),
  processes: v.object({}),
  launch: launchMessage,
  cancel: ofProcess,
  adopt: v.object({ record: processRecord }),
  keepStdin: ofProcess,
  closeStdin: ofProcess,
  release: ofProcess,
  retire: v.object({}),
} as const

/** What a supervisor can be asked. */
export type Method = keyof typeof requests

/** What all requests have. */
export const request = v.object({ id: integer(), method: text(64) })
