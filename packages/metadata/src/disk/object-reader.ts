import type { AbortOptions, ContentStore, IngestLocks } from '@nsbox/core/content'
import type { ObjectName, ObjectReader } from '@nsbox/core/disk'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import type { Clock } from '@nsbox/time'
import { backendRef } from '../content/ingest-row.ts'
import type { Ledger } from '../database/ledger.ts'
import { type Listing, listRows } from '../database/listing.ts'
import type { Kind, Node } from '../database/node.ts'
import { rootRules } from '../database/roots.ts'
import type { CommitsUnderWay } from '../snapshots/commits-under-way.ts'
import type { Snapshotters } from '../snapshots/snapshotters.ts'

interface Parts {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly backend: ContentStore
  readonly snapshotters: Snapshotters
  readonly locks: IngestLocks
  readonly commits: CommitsUnderWay
}

/** An object without what is not in its row. */
interface Row {
  readonly id: string
  readonly root: 0 | 1
  readonly flat?: 0 | 1
  /** Milliseconds since 1970. */
  readonly expires_at?: number | null
  readonly parent?: string | null
  readonly storage?: string
  /** Null if only the backend knows it. */
  readonly size?: number | null
  /** Of an ingest. */
  readonly number?: number
  /** Of a snapshot: its backing's id, and its key in the backend. */
  readonly backing?: number
  readonly key?: string
}

/** Most references of an object that are read at a time. */
const mostReferences = 500

/** Reads the objects of a namespace. */
export function objectReader(parts: Parts, namespace: string): ObjectReader {
  const { ledger, clock, backend, snapshotters, locks, commits } = parts

  async function sizeOf(kind: Kind, row: Row, options: AbortOptions): Promise<number | undefined> {
    const { size, number, key } = row
    if (size != null) return size
    // What has gone meanwhile takes nothing.
    if (number !== undefined) {
      const status = backend.status(backendRef({ namespace, id: number, ref: row.id }), options)
      return (await undefinedIf(isNotFound, status))?.offset ?? 0
    }
    const usage = snapshotters.get(kind.slice('snapshot/'.length))?.usage(key!, options)
    return usage && ((await undefinedIf(isNotFound, usage))?.size ?? 0)
  }

  return {
    async *objects({ sizes = false, signal } = {}) {
      const now = clock.now()
      const committing = new Set(commits.backings(namespace))
      const isKept = (kind: Kind, { id, backing = -1 }: Row) =>
        kind === 'ingest' ? locks.has(id, namespace) : committing.has(backing)

      const missing = await originsOf(ledger, namespace, signal)
      async function* ofKind(kind: Kind, sql: string, values: readonly (string | number)[] = []) {
        for await (const row of listRows(ledger, listing(sql, [...values, namespace]), signal)) {
          missing.delete(`${kind}\0${row.id}`)
          const object = {
            ...nameOf(kind, row.id),
            isRoot: row.root === 1 || isKept(kind, row),
            isFlat: row.flat === 1,
            expiresAt: row.expires_at == null ? undefined : new Date(row.expires_at),
            parent: row.parent ?? undefined,
            storage: row.storage,
            size: sizes && row.storage !== undefined ? await sizeOf(kind, row, { signal }) : undefined,
          }
          for await (const references of referencesOf(ledger, namespace, kind, row.id))
            yield { ...object, references }
        }
      }

      yield* ofKind('image', images, [now])
      yield* ofKind('lease', leases, [now])
      yield* ofKind('container', containers)
      yield* ofKind('sandbox', sandboxes)
      yield* ofKind('content', contents)
      yield* ofKind('ingest', ingests, [now])
      const names = await ledger.read((db) => db.rows<[string]>(snapshottersOf, namespace))
      for (const [snapshotter] of names) yield* ofKind(`snapshot/${snapshotter}`, snapshots, [snapshotter])
      for (const { kind, id } of missing.values()) {
        const object = { ...nameOf(kind, id), isRoot: false, isFlat: false, isMissing: true }
        for await (const references of referencesOf(ledger, namespace, kind, id))
          yield { ...object, references }
      }
    },
  }
}

const listing = (sql: string, values: readonly (string | number)[]): Listing<Row> => ({
  after: (db, id, enough) => db.upTo<Row>(sql, enough, ...values, id),
  key: ({ id }) => id,
  size: ({ id }) => id.length,
})

/** Objects that labels of others say they are kept by, which need not exist. */
async function originsOf(
  ledger: Ledger,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<Map<string, Node>> {
  const found = new Map<string, Node>()
  const all: Listing<Node & { readonly place: string }> = {
    after: (db, place, enough) => db.upTo(origins, enough, namespace, place),
    key: ({ place }) => place,
    size: ({ place }) => place.length,
  }
  for await (const { kind, id } of listRows(ledger, all, signal)) found.set(`${kind}\0${id}`, { kind, id })
  return found
}

/** Pages of the objects that an object keeps, at least one. */
async function* referencesOf(
  ledger: Ledger,
  namespace: string,
  kind: Kind,
  id: string,
): AsyncGenerator<ObjectName[], void, undefined> {
  for (let after: readonly [string, string] = ['', '']; ; ) {
    const rows = await ledger.read((db) =>
      db.rows<[Kind, string]>(references, namespace, kind, id, ...after, mostReferences),
    )
    yield rows.map(([toKind, toId]) => nameOf(toKind, toId))
    if (rows.length < mostReferences) return
    after = rows.at(-1)!
  }
}

function nameOf(kind: Kind, id: string): ObjectName {
  if (!kind.startsWith('snapshot/')) return { kind: kind as ObjectName['kind'], id }
  return { kind: 'snapshot', id, snapshotter: kind.slice('snapshot/'.length) }
}

/** Reads the objects of one kind after an id, with further columns of a `Row`. */
const objectsOf = (kind: Exclude<keyof typeof rootRules, 'snapshot'>, ...further: readonly string[]) => {
  const { table, id, root, flat } = rootRules[kind]
  const columns = [`${id} AS id`, `${root} AS root`, `${flat} AS flat`, ...further].join(', ')
  return `SELECT ${columns} FROM ${table} WHERE namespace = ? AND ${id} > ? ORDER BY ${id}`
}

const images = objectsOf('image', 'expires_at')
const leases = objectsOf('lease', 'expires_at')
const containers = objectsOf('container')
const sandboxes = objectsOf('sandbox')
const contents = objectsOf('content', "'content/' || digest AS storage", 'size')
const ingests = objectsOf(
  'ingest',
  'expires_at',
  "iif(shared_size IS NULL, 'ingest/' || id, 'content/' || expected) AS storage",
  'shared_size AS size',
  'id AS number',
)
const snapshottersOf = 'SELECT DISTINCT snapshotter FROM snapshot WHERE namespace = ?'
const snapshots = `
  SELECT name AS id, ${rootRules.snapshot.root} AS root, snapshot.parent, 'snapshot/' || backing AS storage,
    NULL AS size, backing, key
  FROM snapshot JOIN backing ON backing.id = backing
  WHERE snapshot.snapshotter = ? AND namespace = ? AND name > ? ORDER BY name`
const references = `
  SELECT DISTINCT to_kind, to_id FROM reference
  WHERE namespace = ? AND from_kind = ? AND from_id = ? AND (to_kind, to_id) > (?, ?)
  ORDER BY to_kind, to_id LIMIT ?`
const origins = `
  SELECT DISTINCT from_kind AS kind, from_id AS id, from_kind || char(0) || from_id AS place FROM reference
  WHERE namespace = ? AND back = 1 AND from_kind || char(0) || from_id > ? ORDER BY place`
