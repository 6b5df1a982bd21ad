import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AbortOptions,
  type CommitOptions,
  type ContentInfo,
  type ContentWriter,
  type Durability,
  type IngestStatus,
  ingestDiscarded,
} from '@nsbox/core/content'
import { isAlreadyExists, NsboxError, shownName, withErrorContext } from '@nsbox/errors'
import { validateLabels } from '@nsbox/namespaces'
import { assertDigest, type Digest, type DigestAlgorithm, digestAlgorithm, type Hasher } from '@nsbox/oci'
import type { Clock, Timestamp } from '@nsbox/time'
import type { BlobFiles } from './blob-files.ts'
import { syncFile } from './durability.ts'
import { hashFile } from './hash-file.ts'
import { dataFile, recordStatus, removeIngest } from './ingest-directory.ts'
import { writeFully } from './write-fully.ts'

/**
 * Bytes hashed at once: the event loop is held for about half a millisecond, where the processor has instructions for
 * the hash.
 */
const pieceSize = 1024 * 1024

/** What a writer works with. It owns `handle` and `lock` from here on. */
export interface IngestWriterParts {
  readonly directory: string
  readonly status: IngestStatus
  readonly handle: FileHandle
  readonly hasher: Hasher
  readonly blobs: BlobFiles
  readonly durability: Durability
  readonly clock: Clock
  /** Called when the writer begins to release the ref. */
  readonly onClosing: () => void
  /** Called once, when the ref is free again. */
  readonly onClosed: () => void
}

/** The writer of an ingest on disk. Bytes are hashed while the thread pool writes them. */
export class IngestWriter implements ContentWriter {
  readonly ref: string
  readonly #parts: IngestWriterParts
  #status: IngestStatus
  /** Has seen the file's bytes up to the offset; absent after a failure until the file has been read again. */
  #hasher: Hasher | undefined
  #turn: Promise<unknown> | undefined
  #closed = false
  #revoked = false
  #discarded = false
  #released: Promise<void> | undefined

  constructor(parts: IngestWriterParts) {
    this.ref = parts.status.ref
    this.#parts = parts
    this.#status = parts.status
    this.#hasher = parts.hasher
  }

  status(): IngestStatus {
    return this.#status
  }

  digest(): Digest | undefined {
    return this.#hasher?.digest()
  }

  async write(bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> {
    await this.#exclusively('writing', async () => {
      signal?.throwIfAborted()
      const hasher = await this.#takeHasher(signal)
      const { offset } = this.#status
      try {
        for (let start = 0; start < bytes.length; start += pieceSize) {
          signal?.throwIfAborted()
          const piece = bytes.subarray(start, start + pieceSize)
          const written = writeFully(this.#parts.handle, piece, offset + start)
          hasher.update(piece)
          await written
        }
      } catch (error) {
        // A write is taken as a whole or not at all.
        await this.#truncate(offset)
        throw error
      }
      this.#hasher = hasher
      this.#moveTo(offset + bytes.length)
    })
  }

  async restart({ signal }: AbortOptions = {}): Promise<void> {
    await this.#exclusively('restarting', async () => {
      signal?.throwIfAborted()
      await this.#parts.handle.truncate(0)
      this.#hasher = undefined
      this.#moveTo(0)
    })
  }

  async commit(options: CommitOptions & AbortOptions = {}): Promise<ContentInfo> {
    return await this.#exclusively('committing', async () => {
      this.#closed = true
      try {
        const info = await this.#publish(options)
        await this.#discard()
        return info
      } finally {
        await this.#release()
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#parts.onClosing()
    await this.#turn
    await this.#release()
  }

  /** Closes the writer, whose calls fail from here on because its ingest is discarded. */
  async revoke(): Promise<void> {
    this.#revoked = true
    await this[Symbol.asyncDispose]()
  }

  async #publish({
    size,
    expected,
    labels = {},
    signal,
  }: CommitOptions & AbortOptions): Promise<ContentInfo> {
    signal?.throwIfAborted()
    if (expected !== undefined) assertDigest(expected)
    validateLabels(labels, 'info.Labels')
    this.#checkSize(size)
    const digest = await this.#checkDigest(expected, signal)
    const { blobs, directory } = this.#parts
    const file = { path: join(directory, dataFile), digest, size: this.#status.offset }
    try {
      return await blobs.publish(file, { labels, finish: (createdAt) => this.#finish(createdAt), signal })
    } catch (error) {
      if (isAlreadyExists(error)) await this.#discard()
      throw error
    }
  }

  #checkSize(size: number | undefined): void {
    const { offset, total } = this.#status
    const wanted = size ?? (total > 0 ? total : offset)
    if (offset === wanted) return
    throw new NsboxError('failed_precondition', `unexpected commit size ${offset}, expected ${wanted}`)
  }

  /** The digest of what was written, after it was compared with the announced size and digests. */
  async #checkDigest(expected: Digest | undefined, signal: AbortSignal | undefined): Promise<Digest> {
    const wanted = [expected, this.#status.expected].filter((digest) => digest !== undefined)
    for (const digest of wanted) {
      const actual = await this.#digest(digestAlgorithm(digest), signal)
      if (actual === digest) continue
      throw new NsboxError('failed_precondition', `unexpected commit digest ${actual}, expected ${digest}`)
    }
    return wanted[0] ?? (await this.#digest('sha256', signal))
  }

  async #digest(algorithm: DigestAlgorithm, signal: AbortSignal | undefined): Promise<Digest> {
    if (this.#hasher?.algorithm === algorithm) return this.#hasher.digest()
    const hasher = await hashFile(this.#parts.handle, this.#status.offset, { algorithm, signal })
    return hasher.digest()
  }

  async #finish(createdAt: Timestamp): Promise<void> {
    const { handle, durability } = this.#parts
    // The file system cuts off fractions of a microsecond, and a double may be slightly too small; half a microsecond
    // makes up for both.
    const seconds = (createdAt.epochMicroseconds + 0.5) / 1_000_000
    await handle.utimes(seconds, seconds)
    try {
      await syncFile(handle, durability)
    } catch (error) {
      // After a failed sync the kernel may have dropped the data although the next sync succeeds, and its cache may
      // still show them. So the bytes have to be sent again.
      await handle.truncate(0).catch(() => this.#discard())
      throw error
    }
  }

  async #takeHasher(signal: AbortSignal | undefined): Promise<Hasher> {
    const { handle, hasher } = this.#parts
    const taken =
      this.#hasher ?? (await hashFile(handle, this.#status.offset, { algorithm: hasher.algorithm, signal }))
    this.#hasher = undefined
    return taken
  }

  #moveTo(offset: number): void {
    const updatedAt = this.#parts.clock.stamp(this.#status.updatedAt)
    this.#status = { ...this.#status, offset, updatedAt }
  }

  /** Removes the bytes of a failed write. If that fails too, the next writer goes by the file's actual size. */
  async #truncate(length: number): Promise<void> {
    try {
      await this.#parts.handle.truncate(length)
    } catch {
      this.#closed = true
      await this.#release()
    }
  }

  /** Removes the ingest. A failure is ignored: the data is gone, or the next writer finds the blob. */
  async #discard(): Promise<void> {
    this.#discarded = true
    await removeIngest(this.#parts.directory).catch(() => {})
  }

  /** Closes the file and releases the ref. Never fails, since the bytes are written already. */
  #release(): Promise<void> {
    this.#released ??= this.#releaseOnce()
    return this.#released
  }

  async #releaseOnce(): Promise<void> {
    const { directory, handle, onClosed, status } = this.#parts
    await handle.close().catch(() => {})
    if (!this.#discarded && this.#status !== status)
      await recordStatus(directory, this.#status).catch(() => {})
    onClosed()
  }

  async #exclusively<T>(doing: string, body: () => Promise<T>): Promise<T> {
    const context = `${doing} ref ${shownName(this.ref)}`
    if (this.#revoked) throw ingestDiscarded(this.ref)
    if (this.#closed) throw new NsboxError('failed_precondition', `${context}: the writer is closed`)
    if (this.#turn !== undefined)
      throw new NsboxError('failed_precondition', `${context}: an earlier call is not done`)
    const turn = withErrorContext(context, body)
    // Only a concurrent close waits for it; the result goes to the caller.
    this.#turn = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.#turn = undefined
    }
  }
}
