import {
  type AbortOptions,
  type CommitOptions,
  type ContentInfo,
  type ContentStore,
  type ContentWriter,
  type IngestOptions,
  type IngestStatus,
  ingestDiscarded,
  type ReadRange,
} from '@nsbox/core/content'
import { changeLabels, type LabelChange } from '@nsbox/core/labels'
import { NsboxError } from '@nsbox/errors'
import { labelField, parseListFilters } from '@nsbox/filters'
import { validateLabels } from '@nsbox/namespaces'
import { assertDigest, type Digest, digestAlgorithm, digestOf } from '@nsbox/oci'
import { systemClock } from '@nsbox/time'

interface Ingest {
  status: IngestStatus
  bytes: Uint8Array
  open: boolean
}

const byteOrder = <T>(key: (item: T) => string) => {
  return (a: T, b: T) => Buffer.compare(Buffer.from(key(a)), Buffer.from(key(b)))
}

/** A content store in memory. */
export class MemoryContentStore implements ContentStore {
  readonly #blobs = new Map<Digest, { info: ContentInfo; bytes: Uint8Array }>()
  readonly #ingests = new Map<string, Ingest>()

  async info(digest: Digest, { signal }: AbortOptions = {}): Promise<ContentInfo> {
    signal?.throwIfAborted()
    return this.#blob(digest).info
  }

  async *read(digest: Digest, { offset = 0, length, signal }: ReadRange & AbortOptions = {}) {
    signal?.throwIfAborted()
    const { bytes } = this.#blob(digest)
    if (offset > bytes.length) throw new NsboxError('out_of_range', `offset ${offset} of ${digest}`)
    const end = Math.min(bytes.length, offset + (length ?? bytes.length))
    for (let at = offset; at < end; at += 65_536) {
      signal?.throwIfAborted()
      yield bytes.slice(at, Math.min(end, at + 65_536))
    }
  }

  async writer(options: IngestOptions, { signal }: AbortOptions = {}): Promise<ContentWriter> {
    signal?.throwIfAborted()
    const { ref, total = 0, expected } = options
    if (ref === '') throw new NsboxError('invalid_argument', 'the ref is empty')
    if (expected !== undefined) {
      assertDigest(expected)
      if (this.#blobs.has(expected)) throw new NsboxError('already_exists', `content ${expected}`)
    }
    const startedAt = systemClock.stamp()
    const ingest = this.#ingests.get(ref) ?? {
      status: { ref, offset: 0, total, expected, startedAt, updatedAt: startedAt },
      bytes: new Uint8Array(),
      open: false,
    }
    if (ingest.open) throw new NsboxError('unavailable', `ref ${ref} has a writer`)
    if (total !== 0 && ingest.status.total !== 0 && total !== ingest.status.total)
      throw new NsboxError('failed_precondition', `ref ${ref} has the total ${ingest.status.total}`)
    ingest.open = true
    this.#ingests.set(ref, ingest)
    return this.#writer(ingest, expected)
  }

  async status(ref: string, { signal }: AbortOptions = {}): Promise<IngestStatus> {
    signal?.throwIfAborted()
    return this.#ingest(ref).status
  }

  async statuses(filters: readonly string[] = [], { signal }: AbortOptions = {}): Promise<IngestStatus[]> {
    signal?.throwIfAborted()
    const filter = parseListFilters(filters)
    return [...this.#ingests.values()]
      .map(({ status }) => status)
      .filter(({ ref }) => filter.match({ field: (path) => (path.join() === 'ref' ? ref : undefined) }))
      .sort(byteOrder(({ ref }) => ref))
  }

  async abort(ref: string, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#ingest(ref)
    this.#ingests.delete(ref)
  }

  async update(digest: Digest, change: LabelChange, { signal }: AbortOptions = {}): Promise<ContentInfo> {
    signal?.throwIfAborted()
    const blob = this.#blob(digest)
    const labels = changeLabels(blob.info.labels, change)
    validateLabels(labels, 'info.Labels')
    blob.info = { ...blob.info, labels, updatedAt: systemClock.stamp() }
    return blob.info
  }

  async *list(filters: readonly string[] = [], { signal }: AbortOptions = {}) {
    signal?.throwIfAborted()
    const filter = parseListFilters(filters)
    const infos = [...this.#blobs.values()].map(({ info }) => info)
    for (const info of infos.sort(byteOrder(({ digest }) => digest))) {
      const { digest, labels } = info
      const field = ([first, ...rest]: readonly string[]) =>
        first === 'digest' ? digest : first === 'labels' ? labelField(labels, rest) : undefined
      if (filter.match({ field })) yield info
    }
  }

  async delete(digest: Digest, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#blob(digest)
    this.#blobs.delete(digest)
  }

  #blob(digest: Digest) {
    assertDigest(digest)
    const blob = this.#blobs.get(digest)
    if (blob === undefined) throw new NsboxError('not_found', `content ${digest}`)
    return blob
  }

  #ingest(ref: string): Ingest {
    const ingest = this.#ingests.get(ref)
    if (ingest === undefined) throw new NsboxError('not_found', `ref ${ref}`)
    return ingest
  }

  #writer(ingest: Ingest, expected: Digest | undefined): ContentWriter {
    const { ref } = ingest.status
    let open = true
    const close = () => {
      if (open) ingest.open = false
      open = false
    }
    const demandOpen = () => {
      if (this.#ingests.get(ref) !== ingest && open) throw ingestDiscarded(ref)
      if (!open) throw new NsboxError('failed_precondition', `the writer of ref ${ref} is closed`)
    }
    const append = (bytes: Uint8Array, signal: AbortSignal | undefined) => {
      signal?.throwIfAborted()
      demandOpen()
      ingest.bytes = new Uint8Array(Buffer.concat([ingest.bytes, bytes]))
      ingest.status = { ...ingest.status, offset: ingest.bytes.length, updatedAt: systemClock.stamp() }
    }
    return {
      ref,
      status: () => ingest.status,
      async write(bytes, { signal } = {}) {
        append(bytes, signal)
      },
      restart: async ({ signal } = {}) => {
        signal?.throwIfAborted()
        ingest.bytes = new Uint8Array()
        append(new Uint8Array(), signal)
      },
      commit: async ({ signal, ...options } = {}) => {
        demandOpen()
        close()
        signal?.throwIfAborted()
        return this.#commit(ingest, { ...options, expected: options.expected ?? expected })
      },
      async [Symbol.asyncDispose]() {
        close()
      },
    }
  }

  #commit({ status, bytes }: Ingest, { size, expected, labels = {} }: CommitOptions): ContentInfo {
    if (expected !== undefined) assertDigest(expected)
    const digest = digestOf(bytes, expected && digestAlgorithm(expected))
    for (const [actual, wanted] of [
      [bytes.length, size],
      [bytes.length, status.total || undefined],
      [digest, expected],
    ])
      if (wanted !== undefined && wanted !== actual)
        throw new NsboxError('failed_precondition', `ref ${status.ref} is ${actual}, not ${wanted}`)
    const kept = changeLabels({}, { replace: labels })
    validateLabels(kept, 'info.Labels')
    this.#ingests.delete(status.ref)
    if (this.#blobs.has(digest))
      throw new NsboxError('already_exists', `content ${digest}`, { details: { digest } })
    const createdAt = systemClock.stamp()
    const info = { digest, size: bytes.length, createdAt, updatedAt: createdAt, labels: kept }
    this.#blobs.set(digest, { info, bytes })
    return info
  }
}
