import { setImmediate } from 'node:timers/promises'
import type { AbortOptions, ContentWriter, IngestManager, IngestOptions } from '@nsbox/core/content'
import { isUnavailable } from '@nsbox/errors'

/** Turns of the event loop in which the end of a stream that has arrived reaches the writer that it closes. */
const turns = 3

/**
 * Opens an ingest. Clients open a ref again at once after they have ended the stream that held it, without waiting for
 * the server: what arrived before this call counts before it. A ref that somebody still has after that is refused, and
 * clients try again as they like (docs/behaviour.md §13).
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
