import type { Readable } from 'node:stream'
import { NsboxError } from '@nsbox/errors'
import type { RegistryLimits } from '../limits.ts'
import { networkError } from './network-error.ts'
import { watchThroughput } from './throughput-watchdog.ts'

/**
 * A small body as a whole.
 *
 * @param limit most bytes
 * @throws `invalid_argument` beyond the limit; `unavailable` for a body that breaks or trickles
 */
export async function readBody(
  body: Readable,
  source: string,
  limit: number,
  limits: RegistryLimits,
): Promise<Uint8Array> {
  const { bytes, complete } = await readStart(body, source, limit, limits)
  if (!complete) throw new NsboxError('invalid_argument', `${source}: the reply has more than ${limit} bytes`)
  return bytes
}

/** The first `limit` bytes of a body; the rest is not waited for. */
export async function readStart(
  body: Readable,
  source: string,
  limit: number,
  limits: RegistryLimits,
): Promise<{ bytes: Uint8Array; complete: boolean }> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of watchThroughput(body, source, limits)) {
      const room = limit - size
      chunks.push(chunk.byteLength > room ? chunk.subarray(0, room) : chunk)
      size += chunk.byteLength
      if (size > limit) return { bytes: Buffer.concat(chunks), complete: false }
    }
  } catch (error) {
    throw networkError(error, source)
  }
  return { bytes: Buffer.concat(chunks), complete: true }
}
