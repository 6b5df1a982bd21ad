import { setImmediate } from 'node:timers/promises'
import type { AbortOptions, ContentWriter, IngestManager, IngestOptions } from '@nsbox/core/content'
import { isUnavailable } from '@nsbox/errors'

/** Turns of the event loop until the end of a received stream has closed its writer. */
const turns = 3

/**
 * Opens an ingest. Clients open a ref again at once after they have ended the stream that held it, without waiting for
 * the server: messages that arrived before this call take effect before it. A ref that still has a writer after that is
 * refused, and clients may try again (docs/behaviour.md §13).
 */
export async function openWriter(
  content: Pick<IngestManager, 'writer'>,
  ingest: IngestOptions,
  options: AbortOptions,
): Promise<ContentWriter> {
  for (let turn = 0; turn < turns; turn++) {
    try {
      return await content.writer(ingest, options)
    } catch (error) {
      if (!isUnavailable(error)) throw error
      await setImmediate(undefined, options)
    }
  }
  return await content.writer(ingest, options)
}
