import { randomUUID } from 'node:crypto'
import type { ContentStore } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import { isAlreadyExists, isFailedPrecondition, NsboxError, quoted } from '@nsbox/errors'
import { createHasher, type Digest } from '@nsbox/oci'

/** A blob from an image's archive. */
export interface ArchiveBlob {
  /** Its name in errors. */
  readonly name: string
  /** Bytes; unknown by default. */
  readonly size?: number | undefined
  /** The digest that the archive claims. */
  readonly expected?: Digest | undefined
  readonly labels?: Labels | undefined
}

/** Writes blobs into a content store, through its own ingests, none of which outlives a failure. */
export class ArchiveBlobs {
  readonly #content: ContentStore
  readonly #signal: AbortSignal | undefined
  readonly #id = randomUUID()
  #count = 0

  constructor(content: ContentStore, signal: AbortSignal | undefined) {
    this.#content = content
    this.#signal = signal
  }

  /**
   * Writes a blob. An existing one is not changed, and its bytes are not read if the digest is known before.
   * @throws `data_loss` if the bytes have another size or digest than claimed
   */
  async write(source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, blob: ArchiveBlob): Promise<Digest> {
    this.#count += 1
    const ref = `import-${this.#id}-${this.#count}`
    try {
      return await this.#ingest(ref, source, blob)
    } catch (error) {
      // Usually the ingest is gone already. If this fails, it expires with the lease.
      await this.#content.abort(ref).catch(() => {})
      throw error
    }
  }

  async #ingest(
    ref: string,
    source: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    { name, size, expected, labels }: ArchiveBlob,
  ): Promise<Digest> {
    const signal = this.#signal
    // Without an expected digest: the store does not return the one that it computes before the commit.
    const hasher = expected === undefined ? createHasher() : undefined
    try {
      await using writer = await this.#content.writer({ ref, total: size, expected }, { signal })
      // If another namespace has the blob, the writer starts at its end, and needs no bytes.
      const isShared = writer.status().offset > 0
      if (!isShared) {
        for await (const chunk of source) {
          hasher?.update(chunk)
          await writer.write(chunk, { signal })
        }
      }
      try {
        return (await writer.commit({ size, expected, labels, signal })).digest
      } catch (error) {
        if (!isFailedPrecondition(error)) throw error
        const context = `${quoted(name)}: ${(error as NsboxError).context}`
        throw new NsboxError('data_loss', context, { cause: error })
      }
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      const digest = expected ?? hasher!.digest()
      if (labels !== undefined) await this.#content.update(digest, { merge: labels }, { signal })
      return digest
    }
  }
}
