import type { Readable } from 'node:stream'
import { NsboxError } from '@nsbox/errors'
import type { RegistryLimits } from '../limits.ts'

/**
 * The chunks of a body, which must arrive at a minimum rate. The body is destroyed if it does not, and when the
 * iteration ends early. Only time spent waiting for the body counts, not that of a slow reader.
 *
 * @param source whose body it is, for the error
 * @throws `unavailable` if the body is too slow; the errors of the body
 */
export async function* watchThroughput(
  body: Readable,
  source: string,
  { minimumRate, rateWindow }: Pick<RegistryLimits, 'minimumRate' | 'rateWindow'>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const due = (minimumRate * rateWindow) / 1000
  const context = `${source}: fewer than ${minimumRate} bytes per second for ${rateWindow} ms`
  const tooSlow = () =>
    new NsboxError('unavailable', context, { details: { transient: true, stalled: true } })
  let waited = 0
  let received = 0
  let since = performance.now()
  // Destroying the body ends a wait for its next chunk.
  const arm = () => setTimeout(() => body.destroy(tooSlow()), Math.max(1, rateWindow - waited))
  let timer = arm()
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      clearTimeout(timer)
      waited += performance.now() - since
      received += chunk.byteLength
      if (received >= due) {
        waited = 0
        received = 0
      } else if (waited >= rateWindow) throw tooSlow()
      yield chunk
      since = performance.now()
      timer = arm()
    }
  } finally {
    clearTimeout(timer)
  }
}
