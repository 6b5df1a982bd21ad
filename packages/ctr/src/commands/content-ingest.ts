import type { ContentStore } from '@nsbox/core/content'
import { isAlreadyExists } from '@nsbox/errors'
import { type Digest, parseDigest } from '@nsbox/oci'
import { Command, InvalidArgumentError } from 'commander'
import { withSession } from '../command-action.ts'

/** `content ingest <key>` */
export function contentIngestCommand(): Command {
  return new Command('ingest')
    .description('make a blob of standard input')
    .argument('<key>', 'names the ingest until it is complete')
    .option('--expected-size <bytes>', 'size that the blob must have', parseSize)
    .option('--expected-digest <digest>', 'digest that the blob must have', parseDigest)
    .action(
      withSession(
        async (
          { client, signal },
          options: { expectedSize?: number; expectedDigest?: Digest },
          ref: string,
        ) => {
          const expected = { size: options.expectedSize, digest: options.expectedDigest }
          await ingest(client.content, ref, process.stdin, expected, signal)
        },
      ),
    )
}

/**
 * Writes a blob from the start, whatever an earlier attempt left under the same ref. A blob that exists already counts
 * as success.
 */
export async function ingest(
  content: ContentStore,
  ref: string,
  source: AsyncIterable<Uint8Array>,
  expected: { size?: number | undefined; digest?: Digest | undefined },
  signal: AbortSignal,
): Promise<void> {
  try {
    await using writer = await content.writer(
      { ref, total: expected.size, expected: expected.digest },
      { signal },
    )
    if (writer.status().offset > 0) await writer.restart({ signal })
    for await (const chunk of source) await writer.write(chunk, { signal })
    await writer.commit({ size: expected.size, expected: expected.digest, signal })
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

function parseSize(text: string): number {
  const size = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(size)) {
    throw new InvalidArgumentError('a size is a number of bytes')
  }
  return size
}
