import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'

/** An entry of a tar archive as `tar-stream` reads it. */
export interface ReadEntry {
  readonly header: Header
  readonly content: Buffer
}

/** Reads a tar archive, by a program that is not ours. */
export async function untar(archive: Uint8Array): Promise<ReadEntry[]> {
  const found: ReadEntry[] = []
  const reader = extract()
  const fed = pipeline(Readable.from([archive]), reader)
  for await (const entry of reader)
    found.push({ header: entry.header, content: await buffer(entry as AsyncIterable<Uint8Array>) })
  await fed
  return found
}
