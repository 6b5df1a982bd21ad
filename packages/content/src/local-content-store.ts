import type {
  AbortOptions,
  ContentInfo,
  ContentStore,
  ContentWriter,
  IngestOptions,
  IngestStatus,
  LocalPaths,
  ReadRange,
} from '@nsbox/core/content'
import type { LabelChange } from '@nsbox/core/labels'
import { fromSystemError, shownName, withErrorContext } from '@nsbox/errors'
import { parseListFilters } from '@nsbox/filters'
import type { Digest } from '@nsbox/oci'
import type { BlobFiles } from './blob-files.ts'
import { blobFields } from './filter-adaptors.ts'
import type { Ingests } from './ingests.ts'
import type { Layout } from './layout.ts'
import { readBlobFile } from './read-blob-file.ts'

/** A content store in a directory of its own. Disposing of it closes its writers; what they wrote stays. */
export class LocalContentStore implements ContentStore, LocalPaths, AsyncDisposable {
  readonly #layout: Layout
  readonly #blobs: BlobFiles
  readonly #ingests: Ingests

  /** @internal use `openContentStore` */
  constructor(layout: Layout, { blobs, ingests }: { blobs: BlobFiles; ingests: Ingests }) {
    this.#layout = layout
    this.#blobs = blobs
    this.#ingests = ingests
  }

  async info(digest: Digest, { signal }: AbortOptions = {}): Promise<ContentInfo> {
    signal?.throwIfAborted()
    return await withErrorContext(`content ${digest}`, () => this.#blobs.info(digest))
  }

  async *read(digest: Digest, options: ReadRange & AbortOptions = {}): AsyncGenerator<Uint8Array> {
    try {
      yield* readBlobFile(this.#layout.blob(digest), digest, options)
    } catch (error) {
      throw fromSystemError(error, `reading content ${digest}`)
    }
  }

  async update(digest: Digest, labels: LabelChange, { signal }: AbortOptions = {}): Promise<ContentInfo> {
    signal?.throwIfAborted()
    return await withErrorContext(`updating content ${digest}`, () => this.#blobs.update(digest, labels))
  }

  async *list(filters: readonly string[] = [], options: AbortOptions = {}): AsyncGenerator<ContentInfo> {
    options.signal?.throwIfAborted()
    const filter = parseListFilters(filters)
    try {
      for await (const info of this.#blobs.list(options)) if (filter.match(blobFields(info))) yield info
    } catch (error) {
      throw fromSystemError(error, 'listing content')
    }
  }

  async delete(digest: Digest, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    await withErrorContext(`deleting content ${digest}`, () => this.#blobs.delete(digest))
  }

  async writer(options: IngestOptions, abort: AbortOptions = {}): Promise<ContentWriter> {
    abort.signal?.throwIfAborted()
    return await withErrorContext(`opening ref ${shownName(options.ref)}`, () =>
      this.#ingests.writer(options, abort),
    )
  }

  async status(ref: string, { signal }: AbortOptions = {}): Promise<IngestStatus> {
    signal?.throwIfAborted()
    return await withErrorContext(`status of ref ${shownName(ref)}`, () => this.#ingests.status(ref))
  }

  async statuses(filters: readonly string[] = [], options: AbortOptions = {}): Promise<IngestStatus[]> {
    options.signal?.throwIfAborted()
    return await withErrorContext('listing ingests', () => this.#ingests.statuses(filters, options))
  }

  async abort(ref: string, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    await withErrorContext(`aborting ref ${shownName(ref)}`, () => this.#ingests.abort(ref, { signal }))
  }

  async blobPath(digest: Digest, { signal }: AbortOptions = {}): Promise<string> {
    signal?.throwIfAborted()
    return await withErrorContext(`content ${digest}`, async () => this.#blobs.path(digest))
  }

  async ingestPath(ref: string, { signal }: AbortOptions = {}): Promise<string> {
    signal?.throwIfAborted()
    return await withErrorContext(`path of ref ${shownName(ref)}`, () => this.#ingests.path(ref))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ingests[Symbol.asyncDispose]()
  }
}
