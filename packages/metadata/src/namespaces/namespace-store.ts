import { answerBudget } from '@nsbox/core/byte-budget'
import { changeLabels } from '@nsbox/core/labels'
import { NsboxError, quoted } from '@nsbox/errors'
import { type Namespace, type NamespaceStore, validateIdentifier, validateLabels } from '@nsbox/namespaces'
import type { Reader } from '@nsbox/sqlite'
import { ingestsOf, leftBy } from '../content/ingest-row.ts'
import { ensureNamespace } from '../database/ensure-namespace.ts'
import type { GarbageCollector } from '../database/garbage-collector.ts'
import type { Ledger } from '../database/ledger.ts'
import { type Listing, listRows } from '../database/listing.ts'
import { decodeLabels, encodeLabels } from '../database/stored-labels.ts'

interface Row {
  name: string
  labels: string
}

const allNamespaces: Listing<Row> = {
  after: (db, name, enough) =>
    db.upTo('SELECT name, labels FROM namespace WHERE name > ? ORDER BY name', enough, name),
  key: ({ name }) => name,
  size: ({ labels }) => labels.length,
}

/** Namespaces in the database. */
export function namespaceStore(ledger: Ledger, collector: GarbageCollector): NamespaceStore {
  return {
    async get(name, { signal } = {}) {
      signal?.throwIfAborted()
      return ledger.read((db) => known(db, name))
    },

    async list({ signal } = {}) {
      signal?.throwIfAborted()
      const budget = answerBudget('namespaces')
      const namespaces: Namespace[] = []
      for await (const row of listRows(ledger, allNamespaces, signal)) {
        budget.take(row.name.length + row.labels.length)
        namespaces.push(fromRow(row))
      }
      return namespaces
    },

    async create({ name, labels = {} }, { signal } = {}) {
      validateIdentifier(name)
      const kept = changeLabels({}, { replace: labels })
      validateLabels(kept, 'namespace.Labels')
      signal?.throwIfAborted()
      return ledger.write(name, (tx) => {
        const { changes } = tx.run(
          'INSERT OR IGNORE INTO namespace (name, labels) VALUES (?, ?)',
          name,
          encodeLabels(kept),
        )
        if (changes === 0) throw new NsboxError('already_exists', `namespace ${quoted(name)}`)
        tx.emit({ topic: '/namespaces/create', payload: { name, labels: kept } })
        return { name, labels: kept }
      })
    },

    async update(name, change, { signal } = {}) {
      validateIdentifier(name)
      signal?.throwIfAborted()
      return ledger.write(name, (tx) => {
        const row = find(tx, name)
        const labels = changeLabels(row?.labels ?? {}, change)
        validateLabels(labels, 'namespace.Labels')
        if (row === undefined && Object.keys(labels).length === 0) return { name, labels }
        ensureNamespace(tx, name)
        tx.run('UPDATE namespace SET labels = ? WHERE name = ?', encodeLabels(labels), name)
        tx.emit({ topic: '/namespaces/update', payload: { name, labels } })
        return { name, labels }
      })
    },

    async delete(name, { signal } = {}) {
      signal?.throwIfAborted()
      const ingests = await ledger.write(name, (tx) => {
        known(tx, name)
        const held = holdings(tx, name)
        if (held.length > 0) {
          throw new NsboxError(
            'failed_precondition',
            `namespace ${quoted(name)} must be empty, but it still has ${held.join(', ')}`,
          )
        }
        const ingests = ingestsOf(tx, name)
        tx.run('DELETE FROM namespace WHERE name = ?', name)
        tx.emit({ topic: '/namespaces/delete', payload: { name } })
        return ingests
      })
      for (const ingest of ingests) collector.unused(leftBy(ingest))
      collector.schedule()
    },
  }
}

function find(db: Reader, name: string): Namespace | undefined {
  const row = db.get<Row>('SELECT name, labels FROM namespace WHERE name = ?', name)
  return row && fromRow(row)
}

/** @throws `not_found` */
function known(db: Reader, name: string): Namespace {
  const namespace = find(db, name)
  if (namespace === undefined) throw new NsboxError('not_found', `namespace ${quoted(name)}`)
  return namespace
}

/** What a namespace still contains, as listed in the error of its deletion (docs/behaviour.md §1). */
function holdings(db: Reader, name: string): string[] {
  const held: string[] = []
  if (db.get('SELECT 1 FROM image WHERE namespace = ? LIMIT 1', name)) held.push('images')
  if (db.get('SELECT 1 FROM content WHERE namespace = ? LIMIT 1', name)) held.push('blobs')
  if (db.get('SELECT 1 FROM container WHERE namespace = ? LIMIT 1', name)) held.push('containers')
  const snapshotters = db.all<{ snapshotter: string }>(
    'SELECT DISTINCT snapshotter FROM snapshot WHERE namespace = ? ORDER BY snapshotter',
    name,
  )
  for (const { snapshotter } of snapshotters) held.push(`snapshots on ${quoted(snapshotter)} snapshotter`)
  return held
}

const fromRow = ({ name, labels }: Row): Namespace => ({ name, labels: decodeLabels(labels) })
