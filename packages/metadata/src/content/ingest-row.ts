import { NsboxError, shownName } from '@nsbox/errors'
import type { Digest } from '@nsbox/oci'
import type { Reader, Transaction } from '@nsbox/sqlite'
import type { Clock } from '@nsbox/time'
import type { Write } from '../database/ledger.ts'
import type { Listing } from '../database/listing.ts'
import { dropReferences, noReferences, type References, setReferences } from '../database/references.ts'
import type { Unused } from '../database/unused.ts'
import { holdIn, type Scope } from '../leases/lease-binding.ts'

export interface IngestRow {
  id: number
  namespace: string
  ref: string
  total: number
  expected: Digest | null
  shared_size: number | null
  started_at: number
  expires_at: number | null
}

const columns = 'id, namespace, ref, total, expected, shared_size, started_at, expires_at'

/** Milliseconds until an ingest without a lease expires after it was last opened (docs/behaviour.md §3). */
const lifetime = 24 * 60 * 60 * 1000

/**
 * The ref of an ingest in the backend. The number makes it unique when the same ref is used again, so that removing old
 * bytes never affects new ones.
 */
export function backendRef({ namespace, id, ref }: Pick<IngestRow, 'namespace' | 'id' | 'ref'>): string {
  return `${namespace}/${id}/${ref}`
}

/** The ingest that a ref of the backend belongs to. */
export function ingestOfBackend(db: Reader, ref: string): IngestRow | undefined {
  const id = Number(/^[^/]+\/(\d{1,15})\//.exec(ref)?.[1])
  if (Number.isNaN(id)) return undefined
  const row = db.get<IngestRow>(`SELECT ${columns} FROM ingest WHERE id = ?`, id)
  return row !== undefined && backendRef(row) === ref ? row : undefined
}

export function findIngest(db: Reader, namespace: string, ref: string): IngestRow | undefined {
  return db.get<IngestRow>(`SELECT ${columns} FROM ingest WHERE namespace = ? AND ref = ?`, namespace, ref)
}

/** @throws `not_found` */
export function demandIngest(db: Reader, namespace: string, ref: string): IngestRow {
  const row = findIngest(db, namespace, ref)
  if (row === undefined) throw new NsboxError('not_found', `ingest ref ${shownName(ref)}`)
  return row
}

/** The ingests of a namespace, ordered by ref. */
export function ingestsOf(db: Reader, namespace: string): IngestRow[] {
  return db.all<IngestRow>(`SELECT ${columns} FROM ingest WHERE namespace = ? ORDER BY ref`, namespace)
}

/** As `ingestsOf`, yielding to the event loop. */
export const ingestListing = (namespace: string): Listing<IngestRow> => ({
  after: (db, ref, enough) =>
    db.upTo(
      `SELECT ${columns} FROM ingest WHERE namespace = ? AND ref > ? ORDER BY ref`,
      enough,
      namespace,
      ref,
    ),
  key: ({ ref }) => ref,
  size: ({ ref }) => ref.length,
})

/** What an ingest leaves in the backend when its row is gone. */
export function leftBy(row: IngestRow): Unused {
  return { ingest: backendRef(row), blob: row.shared_size === null ? undefined : (row.expected ?? undefined) }
}

/** How an ingest is opened; with `sharedSize` it shares a blob of the backend. */
export interface IngestOpening {
  readonly ref: string
  /** 0 if it is unknown. */
  readonly total: number
  readonly expected: Digest | undefined
  readonly sharedSize: number | undefined
  readonly clock: Clock
}

/** An ingest as it was before it was opened, if it existed, and as it is. */
interface Opened {
  readonly before: IngestRow | undefined
  readonly row: IngestRow
}

/**
 * Makes an ingest, or finds an existing one.
 * @throws `failed_precondition` if the total differs from an earlier one; `not_found` if the lease does not exist
 */
export function openIngest(tx: Write, scope: Scope, opening: IngestOpening): Opened {
  const { namespace } = scope
  const { ref, total, expected, sharedSize, clock } = opening
  const found = findIngest(tx, namespace, ref)
  if (found !== undefined && found.total > 0 && total > 0 && found.total !== total) {
    throw new NsboxError(
      'failed_precondition',
      `ref ${shownName(ref)}: total ${total} differs from ${found.total} when it was first opened`,
    )
  }
  holdIn(tx, scope, { kind: 'ingest', id: ref })
  // An ingest that only a lease holds expires with the lease.
  const leased = found === undefined ? scope.lease !== undefined : found.expires_at === null
  const next = {
    total: found?.total || total,
    expected: expected ?? found?.expected ?? null,
    shared_size: sharedSize ?? null,
    expires_at: leased ? null : Math.ceil(clock.now()) + lifetime,
  }
  setReferences(
    tx,
    namespace,
    { kind: 'ingest', id: ref },
    referencesOf(next),
    found === undefined ? noReferences : referencesOf(found),
  )
  if (found !== undefined) {
    tx.run(
      'UPDATE ingest SET total = ?, expected = ?, shared_size = ?, expires_at = ? WHERE id = ?',
      next.total,
      next.expected,
      next.shared_size,
      next.expires_at,
      found.id,
    )
    return { before: found, row: { ...found, ...next } }
  }
  const startedAt = clock.stamp().epochMicroseconds
  const { id } = tx.run(
    `INSERT INTO ingest (namespace, ref, total, expected, shared_size, started_at, expires_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)`,
    namespace,
    ref,
    next.total,
    next.expected,
    next.shared_size,
    startedAt,
    next.expires_at,
  )
  return { before: undefined, row: { id, namespace, ref, started_at: startedAt, ...next } }
}

/** Removes an ingest from the database. @returns whether it was there */
export function dropIngest(tx: Transaction, ingest: IngestRow): boolean {
  const { id, namespace, ref } = ingest
  const { changes } = tx.run('DELETE FROM ingest WHERE id = ?', id)
  if (changes > 0) dropReferences(tx, namespace, { kind: 'ingest', id: ref }, referencesOf(ingest))
  return changes > 0
}

const referencesOf = ({ expected }: Pick<IngestRow, 'expected'>): References => ({
  to: expected === null ? [] : [{ kind: 'content', id: expected }],
  from: [],
})
