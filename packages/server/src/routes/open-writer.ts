import { setTimeout } from 'node:timers/promises'
import type { AbortOptions, ContentWriter, IngestManager, IngestOptions } from '@nsbox/core/content'
import { isUnavailable } from '@nsbox/errors'

/** How long to wait before each further attempt, in milliseconds: about a second in all. */
const delays = [5, 10, 20, 40, 80, 160, 320, 400]

/**
 * Opens an ingest, and tries again for a short while if somebody has it: clients reopen a ref at once after they have
 * closed the stream that held it, before the server has noticed that (docs/behaviour.md §13).
 */
export async function openWriter(
  content: Pick<IngestManager, 'writer'>,
  ingest: IngestOptions,
  options: AbortOptions,
): Promise<ContentWriter> {
  for (const delay of delays) {
    try {
      return await content.writer(ingest, options)
    } catch (error) {
      if (!isUnavailable(error)) throw error
      await setTimeout(delay, undefined, options)
    }
  }
  return await content.writer(ingest, options)
}
