import {
  type AbortOptions,
  type CommitOptions,
  type ContentInfo,
  type ContentWriter,
  type IngestLock,
  type IngestStatus,
  ingestDiscarded,
} from '@nsbox/core/content'
import { changeLabels, type Labels } from '@nsbox/core/labels'
import { isAlreadyExists, isNsboxError, NsboxError, shownName } from '@nsbox/errors'
import { validateLabels } from '@nsbox/namespaces'
import { assertDigest, type Digest, digestAlgorithm, isDigest } from '@nsbox/oci'
import { Timestamp } from '@nsbox/time'
import { dropReferences } from '../database/references.ts'
import { demandLease, hold, letGo, type Scope } from '../leases/lease-binding.ts'
import { addBlob } from './blob-row.ts'
import type { ContentParts } from './content-parts.ts'
import { backendRef, demandIngest, dropIngest, type IngestRow, leftBy } from './ingest-row.ts'

interface WriterParts extends ContentParts {
  readonly scope: Scope
  readonly ingest: IngestRow
  /** The blob's expected digest, if it was given at the opening. */
  readonly expected: Digest | undefined
  readonly lock: IngestLock
  /** The backend's writer; absent while the ingest shares a blob of the backend. */
  readonly own: ContentWriter | undefined
}

/** A committed blob, verified to be in the backend. */
interface Published {
  readonly digest: Digest
  readonly size: number
}

/**
 * The writer of a namespace's ingest. It passes everything to a writer of the backend, or shares a blob of the backend:
 * then it starts complete, needs no bytes, and makes its own copy as soon as it is written to (docs/behaviour.md §3).
 */
export class NamespacedWriter implements ContentWriter {
  readonly ref: string
  readonly #parts: WriterParts
  #own: ContentWriter | undefined
  /** The blob's expected digest; unknown once bytes have been added to those of a shared blob. */
  #expected: Digest | undefined
  #closed = false
  #revoked = false
  /** The running call. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: WriterParts) {
    this.ref = parts.ingest.ref
    this.#parts = parts
    this.#own = parts.own
    this.#expected = parts.expected
  }

  status(): IngestStatus {
    const { ingest, own } = this.#parts
    if (this.#own === undefined) return sharedStatus(ingest)
    const recorded = own === undefined ? undefined : ingest.expected
    return { ...this.#own.status(), ref: this.ref, expected: this.#expected ?? recorded ?? undefined }
  }

  digest(): Digest | undefined {
    return this.#own === undefined ? this.#expected : this.#own.digest?.()
  }

  write(bytes: Uint8Array, options: AbortOptions = {}): Promise<void> {
    return this.#while(async () => {
      options.signal?.throwIfAborted()
      if (this.#own === undefined && bytes.byteLength === 0) return
      const own = this.#own ?? (await this.#unshare({ copy: true, ...options }))
      await own.write(bytes, options)
    })
  }

  restart(options: AbortOptions = {}): Promise<void> {
    return this.#while(async () => {
      options.signal?.throwIfAborted()
      if (this.#own === undefined) await this.#unshare({ copy: false, ...options })
      else await this.#own.restart(options)
    })
  }

  commit(options: CommitOptions & AbortOptions = {}): Promise<ContentInfo> {
    return this.#while(() => this.#commit(options))
  }

  async #commit(options: CommitOptions & AbortOptions): Promise<ContentInfo> {
    this.#closed = true
    try {
      const { expected, labels = {}, signal } = options
      const kept = changeLabels({}, { replace: labels })
      validateLabels(kept, 'info.Labels')
      if (expected !== undefined) assertDigest(expected)
      this.#demandSameDigest(expected)
      signal?.throwIfAborted()
      const own = this.#own
      if (own === undefined) return this.#commitShared(options, kept)
      return await this.#commitOwn(own, options, kept)
    } finally {
      await this.#release()
      await this.#parts.ledger.answerable()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#parts.lock.leave()
    await this.#turn
    await this.#release()
  }

  /** Closes the writer, whose calls then fail because its ingest is discarded. */
  async revoke(): Promise<void> {
    this.#revoked = true
    await this[Symbol.asyncDispose]()
  }

  async #while<T>(body: () => Promise<T>): Promise<T> {
    if (this.#revoked) throw ingestDiscarded(this.ref)
    if (this.#closed)
      throw new NsboxError('failed_precondition', `ref ${shownName(this.ref)}: the writer is closed`)
    const turn = body()
    // Only a concurrent close waits for it; the result goes to the caller.
    this.#turn = Promise.allSettled([this.#turn, turn])
    return await turn
  }

  #demandSameDigest(digest: Digest | undefined): void {
    const expected = this.#expected
    if (digest === undefined || expected === undefined || digest === expected) return
    if (digestAlgorithm(digest) !== digestAlgorithm(expected)) return
    throw new NsboxError('failed_precondition', `unexpected commit digest ${expected}, expected ${digest}`)
  }

  async #release(): Promise<void> {
    await this.#own?.[Symbol.asyncDispose]()
    this.#parts.lock[Symbol.dispose]()
    // While it had a writer the ingest could not be collected.
    this.#parts.collector.touched(this.#parts.scope.namespace)
  }

  /** Makes a copy of the shared blob's bytes, or starts without any. */
  async #unshare({ copy, signal }: { copy: boolean } & AbortOptions): Promise<ContentWriter> {
    const { backend, ingest, ledger, scope, collector } = this.#parts
    const own = await backend.writer({ ref: backendRef(ingest), total: ingest.total }, { signal })
    try {
      // There may be bytes from before the ingest was shared.
      if (own.status().offset > 0) await own.restart({ signal })
      if (copy && ingest.expected !== null) {
        for await (const chunk of backend.read(ingest.expected, { signal }))
          await own.write(chunk, { signal })
      }
      await ledger.write(scope.namespace, (tx) => {
        tx.run('UPDATE ingest SET shared_size = NULL, expected = NULL WHERE id = ?', ingest.id)
        dropReferences(tx, scope.namespace, { kind: 'ingest', id: this.ref })
      })
    } catch (error) {
      await own[Symbol.asyncDispose]()
      throw error
    }
    this.#own = own
    this.#expected = undefined
    collector.unused(leftBy(ingest))
    return own
  }

  #commitShared({ size, expected }: CommitOptions, labels: Labels): ContentInfo {
    const { expected: digest, shared_size } = this.#parts.ingest
    if (digest === null || shared_size === null)
      throw new TypeError('an ingest without bytes that is not shared')
    if (size !== undefined && size !== shared_size) {
      throw new NsboxError('failed_precondition', `unexpected commit size ${shared_size}, expected ${size}`)
    }
    if (expected !== undefined && expected !== digest) {
      throw new NsboxError('failed_precondition', `unexpected commit digest ${digest}, expected ${expected}`)
    }
    // The ingest keeps the blob in the backend until the transaction that adds it to the namespace.
    return this.#record({ digest, size: shared_size }, labels)
  }

  async #commitOwn(
    own: ContentWriter,
    options: CommitOptions & AbortOptions,
    labels: Labels,
  ): Promise<ContentInfo> {
    const { gate, ledger, scope, collector } = this.#parts
    const { size, signal } = options
    const expected = options.expected ?? this.#expected
    // Refused now, before the bytes become a blob of the backend.
    await ledger.read((db) => {
      demandIngest(db, scope.namespace, this.ref)
      demandLease(db, scope)
    })
    return await gate.use(expected, async () => {
      const published = await this.#publish(own, { size, expected, signal })
      try {
        return this.#record(published, labels)
      } catch (error) {
        collector.unused({ blob: published.digest })
        throw error
      }
    })
  }

  /** Makes the blob durable in the backend. If it exists there, the bytes were compared with it. */
  async #publish(own: ContentWriter, options: CommitOptions & AbortOptions): Promise<Published> {
    try {
      return await own.commit(options)
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      const digest = (isNsboxError(error) && error.details.digest) || options.expected
      if (!isDigest(digest)) throw error
      return await this.#parts.backend.info(digest)
    }
  }

  /**
   * Turns the ingest into a blob of the namespace.
   * @throws `already_exists` if the namespace has got it meanwhile, `not_found` if the ingest was discarded with its
   * namespace
   */
  #record({ digest, size }: Published, labels: Labels): ContentInfo {
    const { ledger, scope, ingest, clock, collector } = this.#parts
    const { namespace } = scope
    const info = ledger.commit(namespace, (tx) => {
      if (!dropIngest(tx, ingest)) throw new NsboxError('not_found', `ingest ref ${shownName(this.ref)}`)
      hold(tx, scope, { kind: 'content', id: digest })
      letGo(tx, scope, { kind: 'ingest', id: this.ref })
      const now = clock.stamp()
      const info: ContentInfo = { digest, size, createdAt: now, updatedAt: now, labels }
      if (!addBlob(tx, namespace, info)) return undefined
      tx.emit({ topic: '/content/create', payload: { digest, size } })
      return info
    })
    // There may be bytes from before the ingest was shared.
    if (this.#own === undefined) collector.unused(leftBy(ingest))
    if (info === undefined)
      throw new NsboxError('already_exists', `content ${digest}`, { details: { digest } })
    return info
  }
}

/** The status of an ingest that shares a blob of the backend: complete. */
export function sharedStatus({ ref, shared_size, expected, started_at }: IngestRow): IngestStatus {
  const size = shared_size ?? 0
  const startedAt = Timestamp.fromEpochMicroseconds(started_at)
  return { ref, offset: size, total: size, expected: expected ?? undefined, startedAt, updatedAt: startedAt }
}
