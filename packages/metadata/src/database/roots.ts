/** Where objects of a kind stand, and what makes one of them a root, as expressions of SQL. */
interface RootRule {
  readonly table: string
  /** The column with the id within the namespace. */
  readonly id: string
  /** 1 for a root, from which references are followed, 0 for others. May have one parameter: the time now. */
  readonly root: string
  /** 1 where references are followed one step only. */
  readonly flat: string
}

const always = '1'
const untilExpiry = 'expires_at IS NULL OR expires_at > ?'

/**
 * The roots of collections as the database knows them (docs/behaviour.md §6), the same for the collector and for who
 * asks what it keeps. Ingests with a writer and snapshots that are being committed are kept as well.
 */
export const rootRules = {
  image: { table: 'image', id: 'name', root: untilExpiry, flat: '0' },
  lease: { table: 'lease', id: 'id', root: untilExpiry, flat: 'flat' },
  container: { table: 'container', id: 'id', root: always, flat: '0' },
  sandbox: { table: 'sandbox', id: 'id', root: always, flat: '0' },
  content: { table: 'content', id: 'digest', root: 'root', flat: '0' },
  // Without an expiry only a writer keeps it.
  ingest: { table: 'ingest', id: 'ref', root: 'coalesce(expires_at > ?, 0)', flat: '0' },
  snapshot: { table: 'snapshot', id: 'name', root: 'root', flat: '0' },
} satisfies Record<string, RootRule>
