import type { AbortOptions } from '@nsbox/concurrency'
import type { Digest } from '@nsbox/oci'
import type { LabelChange } from '../labels/labels.ts'
import type { ContentInfo } from './content-info.ts'
import type { ContentWriter, IngestOptions, IngestStatus } from './ingest.ts'

/** Which part of a blob to read. */
export interface ReadRange {
  /** First byte; 0 by default. Beyond the end of the blob: `out_of_range`. At the end: nothing is read. */
  readonly offset?: number
  /** Most bytes to read; to the end of the blob by default. */
  readonly length?: number
}

/** Reads committed blobs. */
export interface ContentReader {
  /** @throws `not_found`, `invalid_argument` for a malformed digest */
  info(digest: Digest, options?: AbortOptions): Promise<ContentInfo>

  /**
   * The bytes of a blob, in chunks of the store's choosing. Nothing is opened before the first chunk is asked for,
   * so errors come from the iteration; ending it early releases everything. A blob that is deleted meanwhile is
   * still read to its end. Chunks belong to the caller.
   *
   * Bytes are not hashed again on the way: use `readBlob` where they cross a trust border.
   *
   * @throws `not_found`, `out_of_range`, `invalid_argument`
   */
  read(digest: Digest, options?: ReadRange & AbortOptions): AsyncIterable<Uint8Array>
}

/** Makes blobs from bytes that arrive over time. */
export interface IngestManager {
  /**
   * Opens the ingest named by `ref`, a new one or one that was interrupted: `writer.offset` tells where to go on.
   * At most one writer of a ref exists at a time; one that is being closed is waited for, any other is not.
   *
   * @throws `invalid_argument` for an empty ref or malformed `expected`; `unavailable` while another writer holds
   * the ref; `already_exists` if `expected` is committed already; `failed_precondition` if `total` differs from
   * the one that the ingest was first opened with
   */
  writer(options: IngestOptions, abort?: AbortOptions): Promise<ContentWriter>

  /** @throws `not_found` */
  status(ref: string, options?: AbortOptions): Promise<IngestStatus>

  /**
   * The ingests that match any of the filters (field `ref`; docs/behaviour.md §2), ordered by ref; all of them if there
   * is no filter.
   * @throws `invalid_argument` for a filter that does not parse
   */
  statuses(filters?: readonly string[], options?: AbortOptions): Promise<IngestStatus[]>

  /**
   * Discards an ingest and its bytes. If it has a writer, that ends: its next call fails with `aborted`.
   * @throws `not_found`
   */
  abort(ref: string, options?: AbortOptions): Promise<void>
}

/** Manages committed blobs. */
export interface ContentManager {
  /**
   * Changes the labels of a blob.
   * @throws `not_found`, `invalid_argument` for labels beyond the limits
   */
  update(digest: Digest, labels: LabelChange, options?: AbortOptions): Promise<ContentInfo>

  /**
   * The blobs that match any of the filters (fields `digest`, `labels.*`), ordered by digest; all of them if there
   * is no filter.
   * @throws `invalid_argument` for a filter that does not parse
   */
  list(filters?: readonly string[], options?: AbortOptions): AsyncIterable<ContentInfo>

  /** @throws `not_found` */
  delete(digest: Digest, options?: AbortOptions): Promise<void>
}

/** A content store: blobs by digest, and the ingests that become blobs. */
export interface ContentStore extends ContentReader, IngestManager, ContentManager {}
