import { NsboxError } from '@nsbox/errors'
import { defaultLayerLimits, type LayerLimits } from '../apply/layer-limits.ts'
import { readable } from '../tar/byte-string.ts'
import type { TarEntry, TarEntryType } from '../tar/tar-entry.ts'
import { refused } from '../tar/tar-error.ts'
import { TarParser } from '../tar/tar-parser.ts'
import { plainBytes } from './plain-bytes.ts'

/** An entry of an archive. */
export interface TarMember {
  readonly type: TarEntryType
  /** As in the archive, decoded as UTF-8. Not checked, so not to be used as a path. */
  readonly name: string
  /** Target of a hard or symbolic link, as in the archive. */
  readonly linkName: string
  /** Bytes of content. */
  readonly size: number
  /** All fields of the entry; names are bytes. */
  readonly entry: TarEntry
  /** A file's content, to be read before the next entry is requested; unread bytes are skipped. */
  readonly content: AsyncIterable<Uint8Array>
}

/** How to read an archive. */
export interface ReadTarOptions {
  /** Each limit by default as `LayerLimits` says. */
  readonly limits?: Partial<LayerLimits> | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads a tar archive, plain or compressed by gzip or zstd, entry by entry and no faster than the content is read. A
 * chunk is valid until the next one is requested. Ending the iteration early releases the source.
 *
 * @throws `data_loss` for a damaged or truncated archive, `invalid_argument` for one with invalid entries or sparse
 * files, `resource_exhausted` beyond a limit; errors of entries name them in the detail `entry`
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  { limits, signal }: ReadTarOptions = {},
): AsyncGenerator<TarMember, void, undefined> {
  const allowed = { ...defaultLayerLimits, ...limits }
  const chunks = plainBytes(source, { limits: allowed, signal })
  try {
    const found = new Found(chunks, allowed, signal)
    for (;;) {
      const next = await found.take()
      if (next === undefined) return
      // The rest of an entry whose content was not read to its end.
      if (!('entry' in next)) continue
      const { entry } = next
      if (entry.sparse !== undefined) throw refused(entry.name, 'a sparse file, which is not read here')
      if (entry.size > allowed.size)
        throw new NsboxError('resource_exhausted', `${readable(entry.name)}: more than ${allowed.size} bytes`)
      yield {
        type: entry.type,
        name: readable(entry.name),
        linkName: readable(entry.linkName),
        size: entry.size,
        entry,
        content: found.content(),
      }
    }
  } finally {
    await chunks.return(undefined)
  }
}

type Piece = { readonly entry: TarEntry } | { readonly data: Buffer } | { readonly end: true }

/** Events of the parser that have not been read yet: at most those of one chunk. */
class Found {
  readonly #chunks: AsyncGenerator<Buffer>
  readonly #signal: AbortSignal | undefined
  readonly #parser: TarParser
  readonly #pieces: Piece[] = []
  #at = 0
  #finished = false
  #entries = 0
  /** The number of the entry whose content comes next; 0 between entries. */
  #open = 0

  constructor(chunks: AsyncGenerator<Buffer>, limits: LayerLimits, signal: AbortSignal | undefined) {
    this.#chunks = chunks
    this.#signal = signal
    const handler = {
      entry: (entry: TarEntry) => this.#pieces.push({ entry }),
      data: (data: Buffer) => this.#pieces.push({ data }),
      end: () => this.#pieces.push({ end: true }),
    }
    this.#parser = new TarParser(handler, limits.headers)
  }

  /** The next piece; undefined at the end of the archive. */
  async take(): Promise<Piece | undefined> {
    while (this.#at === this.#pieces.length) {
      this.#pieces.length = 0
      this.#at = 0
      if (this.#finished) return undefined
      this.#signal?.throwIfAborted()
      const { done, value } = await this.#chunks.next()
      if (!done) this.#parser.push(value)
      else {
        this.#finished = true
        this.#parser.finish()
      }
    }
    const piece = this.#pieces[this.#at++]!
    if ('entry' in piece) this.#open = ++this.#entries
    else if ('end' in piece) this.#open = 0
    return piece
  }

  /** The content of the entry that was taken last. */
  content(): AsyncIterable<Uint8Array> {
    return this.#contentOf(this.#entries)
  }

  async *#contentOf(entry: number): AsyncGenerator<Uint8Array> {
    if (this.#entries !== entry) throw new Error('the content of an entry is read after the next entry')
    while (this.#open === entry) {
      const piece = await this.take()
      if (piece !== undefined && 'data' in piece) yield piece.data
    }
  }
}
