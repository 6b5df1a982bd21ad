import * as v from 'valibot'
import { launchMessage } from './launch-message.ts'
import { processRecord } from './process-record.ts'
import { integer, key, list, text } from './schema.ts'

/**
 * The protocols between clients and supervisors that this build knows, the preferred one first. A supervisor outlives
 * upgrades of its client, so a released protocol stays in this list. A new optional field needs no new number.
 */
export const protocols: readonly number[] = [1]

const ofProcess = v.object({ key })

/** The fields of each request besides its id and its method. */
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

/** The methods of requests. */
export type Method = keyof typeof requests

/** Fields of all requests. */
export const request = v.object({ id: integer(), method: text(64) })
