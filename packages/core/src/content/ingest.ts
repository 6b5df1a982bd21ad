import type { AbortOptions } from '@nsbox/concurrency'
import type { Digest } from '@nsbox/oci'
import type { Timestamp } from '@nsbox/time'
import type { Labels } from '../labels/labels.ts'
import type { ContentInfo } from './content-info.ts'

/** How to open an ingest. */
export interface IngestOptions {
  /** The name of the ingest until it is committed; any non-empty text of at most 4096 bytes. */
  readonly ref: string
  /** Total size in bytes. Recorded when the ingest is first opened, and checked at commit. Unknown by default. */
  readonly total?: number | undefined
  /**
   * The digest that the bytes will have; a commit fails if they have another. Its algorithm is used; sha256 by default.
   */
  readonly expected?: Digest | undefined
}

/** The status of an ingest. */
export interface IngestStatus {
  readonly ref: string
  /** Bytes written so far. */
  readonly offset: number
  /** Bytes expected in all, 0 if unknown. */
  readonly total: number
  readonly expected?: Digest | undefined
  readonly startedAt: Timestamp
  /** When bytes were last written; never before `startedAt`. */
  readonly updatedAt: Timestamp
}

/** Options of a commit. */
export interface CommitOptions {
  /** Size in bytes that the blob must have. */
  readonly size?: number | undefined
  /** Digest that the blob must have. */
  readonly expected?: Digest | undefined
  /** Labels of the new blob. */
  readonly labels?: Labels | undefined
}

/**
 * The one writer of an ingest. Disposing of it closes it and keeps what was written, so that a later writer of the
 * same ref goes on from there; that never fails once bytes are safe, and is idempotent.
 */
export interface ContentWriter extends AsyncDisposable {
  readonly ref: string

  /** The ingest as this writer has left it. */
  status(): IngestStatus

  /** The digest of the bytes so far; undefined in stores that would have to read them again. */
  digest?(): Digest | undefined

  /**
   * Appends. The bytes may be used again once the promise resolves; calls must not overlap.
   * @throws `resource_exhausted` if the disk is full (what was written before stays and can be resumed),
   * `failed_precondition` after commit or close, `aborted` once somebody has discarded the ingest
   */
  write(bytes: Uint8Array, options?: AbortOptions): Promise<void>

  /** Drops everything written so far, so that the next byte is the first. */
  restart(options?: AbortOptions): Promise<void>

  /**
   * Publishes what was written as a blob: checked, synced to disk, then visible in one step. Closes the writer whatever
   * happens. After a check has failed the ingest stays as it is. The ingest is gone after success and after
   * `already_exists`.
   *
   * @throws `failed_precondition` for an unexpected size or digest, or after commit or close; `already_exists` if the
   * blob exists (neither its bytes nor its labels are changed), with the blob's digest as `details.digest` in a store
   * of this process; `aborted` once somebody has discarded the ingest
   */
  commit(options?: CommitOptions & AbortOptions): Promise<ContentInfo>
}
