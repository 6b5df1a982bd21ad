import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AbortOptions,
  type CommitOptions,
  type ContentInfo,
  type ContentWriter,
  type IngestStatus,
  showRef,
} from '@nsbox/core/content'
import { isAlreadyExists, NsboxError } from '@nsbox/errors'
import { validateLabels } from '@nsbox/namespaces'
import { assertDigest, type Digest, type DigestAlgorithm, digestAlgorithm, type Hasher } from '@nsbox/oci'
import type { BlobFiles } from './blob-files.ts'
import { type Durability, syncFile } from './durability.ts'
import { hashFile } from './hash-file.ts'
import { dataFile, recordStatus, removeIngest } from './ingest-directory.ts'
import { withCodes } from './with-codes.ts'
import { writeFully } from './write-fully.ts'

/** Bounds how long hashing keeps the event loop: about half a millisecond where the processor helps. */
const pieceSize = 1024 * 1024

/** What a writer works with; `handle` and `lock` are its own from here on. */
export interface IngestWriterParts {
  readonly directory: string
  readonly status: IngestStatus
  readonly handle: FileHandle
  readonly hasher: Hasher
  readonly blobs: BlobFiles
  readonly durability: Durability
  readonly now: () => number
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
        // All or nothing, so that the caller need not find out how much of it is there.
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
    await this.#turn
    await this.#release()
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

  /** The digest of what was written, after all that is known of it beforehand was held against it. */
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

  async #finish(createdAt: Date): Promise<void> {
    const { handle, durability } = this.#parts
    await handle.utimes(createdAt, createdAt)
    try {
      await syncFile(handle, durability)
    } catch (error) {
      // The kernel may have dropped what it could not write, and would call it written the next time. The bytes that
      // a reader still sees prove nothing, so they have to come again.
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
    const updatedAt = new Date(Math.max(this.#parts.now(), this.#status.startedAt.getTime()))
    this.#status = { ...this.#status, offset, updatedAt }
  }

  /** Takes back what a failed write has left. Should that fail too, the next writer goes by the file's true size. */
  async #truncate(length: number): Promise<void> {
    try {
      await this.#parts.handle.truncate(length)
    } catch {
      this.#closed = true
      await this.#release()
    }
  }

  /** Removes the ingest. What cannot be removed has no data any more, or will be found out as a blob that exists. */
  async #discard(): Promise<void> {
    this.#discarded = true
    await removeIngest(this.#parts.directory).catch(() => {})
  }

  /** Gives back the file and the ref. Never fails: the bytes are where they are, and nothing else is lost. */
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
    const context = `${doing} ref ${showRef(this.ref)}`
    if (this.#closed) throw new NsboxError('failed_precondition', `${context}: the writer is closed`)
    if (this.#turn !== undefined)
      throw new NsboxError('failed_precondition', `${context}: an earlier call is not done`)
    const turn = withCodes(context, body)
    // For whoever closes the writer meanwhile; how the turn ends is for its caller.
    this.#turn = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.#turn = undefined
    }
  }
}
