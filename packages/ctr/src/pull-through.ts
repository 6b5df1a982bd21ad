import type { Client } from '@nsbox/client'
import { type FetchSummary, type PullOptions, pull } from '@nsbox/images'

/**
 * Pulls with this process as the registry's client, into the stores behind `client`. A lease holds what arrives until
 * the image is recorded.
 */
export async function pullThrough(
  client: Client,
  options: Omit<PullOptions, 'content' | 'images'>,
): Promise<FetchSummary> {
  await using lease = await client.createLease({ signal: options.signal })
  const { content, images } = lease.client
  return await pull({ ...options, content, images })
}
