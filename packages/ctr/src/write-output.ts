import { once } from 'node:events'
import type { Writable } from 'node:stream'

/** Writes bytes or text to standard output or another stream as they come, no faster than the reader takes them. */
export async function writeOutput(
  source: AsyncIterable<Uint8Array | string>,
  output: Writable = process.stdout,
): Promise<void> {
  for await (const chunk of source) {
    if (!output.write(chunk)) await once(output, 'drain')
  }
}
