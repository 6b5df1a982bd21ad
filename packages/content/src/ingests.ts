import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { mapConcurrently } from '@nsbox/concurrency'
import {
  type AbortOptions,
  type ContentWriter,
  type Durability,
  type IngestLock,
  IngestLocks,
  type IngestOptions,
  type IngestStatus,
} from '@nsbox/core/content'
import { checkName, maxNameBytes } from '@nsbox/core/names'
import { NsboxError, shownName } from '@nsbox/errors'
import { parseListFilters } from '@nsbox/filters'
import { digestAlgorithm } from '@nsbox/oci'
import type { Clock } from '@nsbox/time'
import type { BlobFiles } from './blob-files.ts'
import { ingestFields } from './filter-adaptors.ts'
import { hashFile } from './hash-file.ts'
import {
  createIngest,
  dataFile,
  type Expectation,
  readIngest,
  recordStatus,
  removeIngest,
} from './ingest-directory.ts'
import { IngestWriter } from './ingest-writer.ts'
import { filesAtOnce, type Layout } from './layout.ts'

/** Bytes: the limit of the interface, and room for the prefix of a namespaced view. */
const maxRefBytes = 2 * maxNameBytes

/** An ingest, and its data open for a writer. */
interface OpenIngest {
  readonly status: IngestStatus
  readonly handle: FileHandle
}

/** The ingests of a store and their writers. Errors of the operating system pass through. */
export class Ingests implements AsyncDisposable {
  readonly #layout: Layout
  readonly #blobs: BlobFiles
  readonly #durability: Durability
  readonly #clock: Clock
  readonly #locks: IngestLocks
  readonly #writers = new Map<string, IngestWriter>()
  #closed = false

  constructor(
    layout: Layout,
    { blobs, durability, clock }: { blobs: BlobFiles; durability: Durability; clock: Clock },
  ) {
    this.#layout = layout
    this.#blobs = blobs
    this.#durability = durability
    this.#clock = clock
    this.#locks = new IngestLocks(clock.now)
  }

  async writer({ ref, ...asked }: IngestOptions, { signal }: AbortOptions): Promise<ContentWriter> {
    if (this.#closed) throw new NsboxError('failed_precondition', 'the content store is closed')
    checkName('ref', ref, maxRefBytes)
    const expectation = checkExpectation(asked)
    const lock = await this.#locks.acquire(ref, { signal })
    try {
      const { expected, total } = expectation
      if (expected !== undefined && (await this.#blobs.has(expected, total)))
        throw new NsboxError('already_exists', `content ${expected}`)
      const ingest = await this.#openIngest(ref, expectation)
      const writer = await this.#openWriter(ingest, { lock, signal })
      this.#writers.set(ref, writer)
      lock.hold(() => writer.revoke())
      if (this.#closed) await writer[Symbol.asyncDispose]()
      return writer
    } catch (error) {
      lock[Symbol.dispose]()
      throw error
    }
  }

  async status(ref: string): Promise<IngestStatus> {
    const status = this.#writers.get(ref)?.status() ?? (await readIngest(this.#layout.ingest(ref)))
    if (status === undefined) throw ingestNotFound(ref)
    return status
  }

  /** The file that an ingest's bytes are in. */
  async path(ref: string): Promise<string> {
    const { ref: found } = await this.status(ref)
    return join(this.#layout.ingest(found), dataFile)
  }

  /** Directories that are no ingests, or no longer, are skipped. */
  async statuses(filters: readonly string[], { signal }: AbortOptions): Promise<IngestStatus[]> {
    const filter = parseListFilters(filters)
    const read = async (name: string) => {
      const onDisk = await readIngest(join(this.#layout.ingests, name))
      const status = onDisk && (this.#writers.get(onDisk.ref)?.status() ?? onDisk)
      return status && filter.match(ingestFields(status)) ? [status] : []
    }
    const names = await readdir(this.#layout.ingests)
    const found = await mapConcurrently(names, read, { concurrency: filesAtOnce, signal })
    return found.flat().sort((a, b) => (a.ref < b.ref ? -1 : 1))
  }

  async abort(ref: string, { signal }: AbortOptions): Promise<void> {
    using _lock = await this.#locks.takeOver(ref, { signal })
    const directory = this.#layout.ingest(ref)
    if ((await readIngest(directory)) === undefined) throw ingestNotFound(ref)
    await removeIngest(directory)
  }

  /** Closes all writers; what they wrote stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#writers.values()].map((writer) => writer[Symbol.asyncDispose]()))
  }

  async #openIngest(ref: string, { total, expected }: Expectation): Promise<OpenIngest> {
    const directory = this.#layout.ingest(ref)
    const found = await readIngest(directory)
    if (found === undefined)
      return await createIngest(directory, ref, { total, expected, now: this.#clock.stamp() })
    if (total !== undefined && found.total !== 0 && found.total !== total) {
      throw new NsboxError(
        'failed_precondition',
        `ref ${shownName(ref)}: total ${total} differs from ${found.total} when it was first opened`,
      )
    }
    const status = { ...found, total: found.total || (total ?? 0), expected: expected ?? found.expected }
    if (status.total !== found.total || status.expected !== found.expected)
      await recordStatus(directory, status)
    return { status, handle: await open(join(directory, dataFile), 'r+') }
  }

  async #openWriter(
    { status, handle }: OpenIngest,
    { lock, signal }: { lock: IngestLock } & AbortOptions,
  ): Promise<IngestWriter> {
    const directory = this.#layout.ingest(status.ref)
    try {
      const algorithm = status.expected === undefined ? 'sha256' : digestAlgorithm(status.expected)
      return new IngestWriter({
        directory,
        status,
        handle,
        hasher: await hashFile(handle, status.offset, { algorithm, signal }),
        blobs: this.#blobs,
        durability: this.#durability,
        clock: this.#clock,
        onClosing: () => lock.leave(),
        onClosed: () => {
          this.#writers.delete(status.ref)
          lock[Symbol.dispose]()
        },
      })
    } catch (error) {
      await handle.close()
      throw error
    }
  }
}

/** A total of 0 means that it is unknown, as in requests. */
function checkExpectation({ total, expected }: Expectation): Expectation {
  if (total !== undefined && !(Number.isSafeInteger(total) && total >= 0))
    throw new NsboxError('invalid_argument', `total ${total}`)
  return { total: total === 0 ? undefined : total, expected }
}

function ingestNotFound(ref: string): NsboxError {
  return new NsboxError('not_found', `ingest ref ${shownName(ref)}`)
}
