import { answerBudget } from '@nsbox/core/byte-budget'
import {
  type ContentInfo,
  type ContentStore,
  hasLocalPaths,
  type IngestStatus,
  type LocalPaths,
} from '@nsbox/core/content'
import { changeLabels } from '@nsbox/core/labels'
import { isNotFound, NsboxError, shownName } from '@nsbox/errors'
import { type Adaptor, labelField, parseListFilters } from '@nsbox/filters'
import { validateLabels } from '@nsbox/namespaces'
import { assertDigest } from '@nsbox/oci'
import { Timestamp } from '@nsbox/time'
import { listRows } from '../database/listing.ts'
import { letGo, type Scope } from '../leases/lease-binding.ts'
import { blobFromRow, blobsOf, changeBlob, demandBlob, dropBlob } from './blob-row.ts'
import type { ContentParts } from './content-parts.ts'
import { backendRef, demandIngest, dropIngest, type IngestRow, ingestListing, leftBy } from './ingest-row.ts'
import { sharedStatus } from './namespaced-writer.ts'
import { openWriter } from './open-writer.ts'

/**
 * The content of a namespace: its blobs and ingests are rows, their bytes are in the backend. It has local paths if the
 * backend has.
 */
export function contentView(parts: ContentParts, scope: Scope): ContentStore {
  const store = rowsAndBytes(parts, scope)
  return hasLocalPaths(parts.backend) ? { ...store, ...localPaths(parts.backend, parts, scope) } : store
}

function rowsAndBytes(parts: ContentParts, scope: Scope): ContentStore {
  const { ledger, backend, collector, clock, locks } = parts
  const { namespace } = scope

  async function statusOf(row: IngestRow): Promise<IngestStatus> {
    if (row.shared_size !== null) return sharedStatus(row)
    const { ref, total, expected, started_at } = row
    try {
      return { ...(await backend.status(backendRef(row))), ref, expected: expected ?? undefined }
    } catch (error) {
      if (!isNotFound(error)) throw error
      // Its writer is about to make it, or never did.
      const startedAt = Timestamp.fromEpochMicroseconds(started_at)
      return { ref, offset: 0, total, expected: expected ?? undefined, startedAt, updatedAt: startedAt }
    }
  }

  return {
    async info(digest, { signal } = {}) {
      assertDigest(digest)
      signal?.throwIfAborted()
      return ledger.read((db) => demandBlob(db, namespace, digest))
    },

    async *read(digest, options = {}) {
      assertDigest(digest)
      options.signal?.throwIfAborted()
      await ledger.read((db) => demandBlob(db, namespace, digest))
      yield* backend.read(digest, options)
    },

    async update(digest, change, { signal } = {}) {
      assertDigest(digest)
      signal?.throwIfAborted()
      return await ledger.write(namespace, (tx) => {
        const current = demandBlob(tx, namespace, digest)
        const labels = changeLabels(current.labels, change)
        validateLabels(labels, 'info.Labels')
        const updatedAt = clock.stamp(current.updatedAt)
        const info = { ...current, labels, updatedAt }
        changeBlob(tx, namespace, current, info)
        return info
      })
    },

    async *list(filters = [], { signal } = {}) {
      const filter = parseListFilters(filters)
      for await (const row of listRows(ledger, blobsOf(namespace), signal)) {
        const info = blobFromRow(row)
        if (filter.match(blobFields(info))) yield info
      }
    },

    async delete(digest, { signal } = {}) {
      assertDigest(digest)
      signal?.throwIfAborted()
      await ledger.write(namespace, (tx) => {
        demandBlob(tx, namespace, digest)
        dropBlob(tx, namespace, digest)
        letGo(tx, scope, { kind: 'content', id: digest })
        tx.emit({ topic: '/content/delete', payload: { digest } })
      })
      collector.unused({ blob: digest })
      collector.schedule()
    },

    async writer(options, abort = {}) {
      return openWriter(parts, scope, options, abort)
    },

    async status(ref, { signal } = {}) {
      signal?.throwIfAborted()
      return statusOf(await ledger.read((db) => demandIngest(db, namespace, ref)))
    },

    async statuses(filters = [], { signal } = {}) {
      const filter = parseListFilters(filters)
      signal?.throwIfAborted()
      const budget = answerBudget('ingests')
      const statuses: IngestStatus[] = []
      for await (const row of listRows(ledger, ingestListing(namespace), signal)) {
        if (!filter.match(ingestFields(row))) continue
        budget.take(row.ref.length)
        statuses.push(await statusOf(row))
      }
      return statuses
    },

    async abort(ref, { signal } = {}) {
      signal?.throwIfAborted()
      using _lock = await locks.takeOver(ref, { namespace, signal })
      const ingest = await ledger.write(namespace, (tx) => {
        const ingest = demandIngest(tx, namespace, ref)
        dropIngest(tx, ingest)
        letGo(tx, scope, { kind: 'ingest', id: ref })
        return ingest
      })
      collector.unused(leftBy(ingest))
      await collector.removeUnused()
    },
  }
}

/** Paths of the backend, for the namespace's blobs and ingests. */
function localPaths(backend: LocalPaths, { ledger }: ContentParts, { namespace }: Scope): LocalPaths {
  return {
    async blobPath(digest, options = {}) {
      assertDigest(digest)
      options.signal?.throwIfAborted()
      await ledger.read((db) => demandBlob(db, namespace, digest))
      return await backend.blobPath(digest, options)
    },

    async ingestPath(ref, options = {}) {
      options.signal?.throwIfAborted()
      const row = await ledger.read((db) => demandIngest(db, namespace, ref))
      const nowhere = (cause?: unknown) =>
        new NsboxError('not_found', `file of ingest ref ${shownName(ref)}`, { cause })
      // It shares a blob of the backend; earlier bytes of its own no longer count.
      if (row.shared_size !== null) throw nowhere()
      try {
        return await backend.ingestPath(backendRef(row), options)
      } catch (error) {
        throw isNotFound(error) ? nowhere(error) : error
      }
    },
  }
}

/** The fields of a blob for filters (docs/behaviour.md §2). */
function blobFields({ digest, labels }: ContentInfo): Adaptor {
  return {
    field([first, ...rest]) {
      if (first === 'labels') return labelField(labels, rest)
      return first === 'digest' && rest.length === 0 ? digest : undefined
    },
  }
}

/** The fields of an ingest for filters (docs/behaviour.md §2). */
function ingestFields({ ref }: IngestRow): Adaptor {
  return { field: (path) => (path.length === 1 && path[0] === 'ref' ? ref : undefined) }
}
