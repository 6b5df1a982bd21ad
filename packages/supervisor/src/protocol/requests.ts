import * as v from 'valibot'
import { launchMessage } from './launch-message.ts'
import { processRecord } from './process-record.ts'
import { integer, key, list, text } from './schema.ts'

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
