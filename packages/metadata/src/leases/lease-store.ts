import { randomBytes } from 'node:crypto'
import { answerBudget } from '@nsbox/core/byte-budget'
import { changeLabels } from '@nsbox/core/labels'
import type { Lease, LeaseStore } from '@nsbox/core/leases'
import { checkNameLength } from '@nsbox/core/names'
import { NsboxError, quoted } from '@nsbox/errors'
import { type Adaptor, labelField, parseListFilters } from '@nsbox/filters'
import { validateLabels } from '@nsbox/namespaces'
import { labelKeys } from '@nsbox/oci'
import type { Reader } from '@nsbox/sqlite'
import { type Clock, Timestamp } from '@nsbox/time'
import { ensureNamespace } from '../database/ensure-namespace.ts'
import type { GarbageCollector } from '../database/garbage-collector.ts'
import type { Ledger } from '../database/ledger.ts'
import { type Listing, listRows } from '../database/listing.ts'
import type { Node } from '../database/node.ts'
import { addReference, dropReferences, removeReference } from '../database/references.ts'
import { decodeLabels, encodeLabels } from '../database/stored-labels.ts'
import { nodeFromResource, resourceFromNode } from './lease-resource.ts'

interface Row {
  id: string
  labels: string
  created_at: number
}

interface Parts {
  readonly ledger: Ledger
  readonly collector: GarbageCollector
  readonly clock: Clock
}

const leasesOf = (namespace: string): Listing<Row> => ({
  after: (db, id, enough) =>
    db.upTo(
      'SELECT id, labels, created_at FROM lease WHERE namespace = ? AND id > ? ORDER BY id',
      enough,
      namespace,
      id,
    ),
  key: ({ id }) => id,
  size: ({ labels }) => labels.length,
})

/** The leases of a namespace. */
export function leaseStore({ ledger, collector, clock }: Parts, namespace: string): LeaseStore {
  return {
    async create({ id = newId(), labels = {} } = {}, { signal } = {}) {
      if (id === '') throw new NsboxError('invalid_argument', 'lease id must not be empty')
      checkNameLength('lease id', id)
      const kept = changeLabels({}, { replace: labels })
      validateLabels(kept, 'lease.Labels')
      const expiresAt = expiry(kept)
      signal?.throwIfAborted()
      const lease = await ledger.write(namespace, (tx) => {
        ensureNamespace(tx, namespace)
        const createdAt = clock.stamp()
        const { changes } = tx.run(
          'INSERT OR IGNORE INTO lease VALUES (?, ?, ?, ?, ?, ?)',
          namespace,
          id,
          encodeLabels(kept),
          createdAt.epochMicroseconds,
          expiresAt ?? null,
          Object.hasOwn(kept, labelKeys.gcFlat) ? 1 : 0,
        )
        if (changes === 0) throw new NsboxError('already_exists', `lease ${quoted(id)}`)
        return { id, labels: kept, createdAt }
      })
      collector.expires(expiresAt)
      return lease
    },

    async delete(id, { sync = false, signal } = {}) {
      signal?.throwIfAborted()
      await ledger.write(namespace, (tx) => {
        demand(tx, namespace, id)
        tx.run('DELETE FROM lease WHERE namespace = ? AND id = ?', namespace, id)
        dropReferences(tx, namespace, { kind: 'lease', id })
      })
      if (sync) await collector.collect({ signal })
      else collector.schedule()
    },

    async list(filters = [], { signal } = {}) {
      const filter = parseListFilters(filters)
      const budget = answerBudget('leases')
      const leases: Lease[] = []
      for await (const row of listRows(ledger, leasesOf(namespace), signal)) {
        const lease = fromRow(row)
        if (!filter.match(adaptor(lease))) continue
        budget.take(row.id.length + row.labels.length)
        leases.push(lease)
      }
      return leases
    },

    async addResource(id, resource, { signal } = {}) {
      const node = nodeFromResource(resource)
      signal?.throwIfAborted()
      await ledger.write(namespace, (tx) => {
        demand(tx, namespace, id)
        addReference(tx, namespace, { kind: 'lease', id }, node)
      })
    },

    async deleteResource(id, resource, { signal } = {}) {
      const node = nodeFromResource(resource)
      signal?.throwIfAborted()
      await ledger.write(namespace, (tx) => {
        demand(tx, namespace, id)
        removeReference(tx, namespace, { kind: 'lease', id }, node)
      })
      collector.schedule()
    },

    async resources(id, { signal } = {}) {
      signal?.throwIfAborted()
      const budget = answerBudget('resources of a lease')
      // Ordered by kind, which is the order of the types.
      return await ledger.read((db) => {
        demand(db, namespace, id)
        const nodes = db.upTo<Node>(
          `SELECT to_kind AS kind, to_id AS id FROM reference
           WHERE namespace = ? AND from_kind = 'lease' AND from_id = ? AND back = 0 ORDER BY to_kind, to_id`,
          (node) => {
            budget.take(node.kind.length + node.id.length)
            return false
          },
          namespace,
          id,
        )
        return nodes.map(resourceFromNode)
      })
    },
  }
}

/** An id in the form of containerd's clients: nanoseconds of the second, and three random bytes. */
function newId(): string {
  const nanoseconds = process.hrtime.bigint() % 1_000_000_000n
  return `${nanoseconds}-${randomBytes(3).toString('base64url')}`
}

/** @throws `invalid_argument` for an expiry that is no RFC 3339 time */
function expiry(labels: Lease['labels']): number | undefined {
  const text = labels[labelKeys.gcExpire]
  if (text === undefined) return undefined
  const time = Timestamp.tryParse(text)?.epochMilliseconds
  if (time !== undefined) return time
  throw new NsboxError(
    'invalid_argument',
    `lease.Labels: ${labelKeys.gcExpire} ${quoted(text)} is no RFC 3339 time`,
  )
}

function demand(db: Reader, namespace: string, id: string): void {
  if (db.get('SELECT 1 FROM lease WHERE namespace = ? AND id = ?', namespace, id)) return
  throw new NsboxError('not_found', `lease ${quoted(id)}`)
}

const fromRow = ({ id, labels, created_at }: Row): Lease => ({
  id,
  labels: decodeLabels(labels),
  createdAt: Timestamp.fromEpochMicroseconds(created_at),
})

/** The fields of a lease for filters (docs/behaviour.md §2). */
function adaptor({ id, labels }: Lease): Adaptor {
  return {
    field([first, ...rest]) {
      if (first === 'labels') return labelField(labels, rest)
      return first === 'id' && rest.length === 0 ? id : undefined
    },
  }
}
