import { readFile } from 'node:fs/promises'
import { NsboxError } from '@nsbox/errors'
import { parseCapabilityMask } from './capability.ts'

/**
 * The current capabilities of this process, in the order of their numbers: the most that it can give to a container
 * whose runtime it starts.
 *
 * @throws `unimplemented` on a host without `/proc/self/status`
 */
export async function hostCapabilities({
  signal,
}: {
  signal?: AbortSignal | undefined
} = {}): Promise<string[]> {
  let status: string
  try {
    status = await readFile('/proc/self/status', { encoding: 'utf8', signal })
  } catch (cause) {
    signal?.throwIfAborted()
    throw new NsboxError('unimplemented', 'capabilities of this process', { cause })
  }
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1]
  if (mask === undefined) throw new NsboxError('unimplemented', 'capabilities of this process')
  return parseCapabilityMask(mask)
}
