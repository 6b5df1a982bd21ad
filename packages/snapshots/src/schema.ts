import type { Migration } from '@nsbox/sqlite'

/**
 * A snapshotter's record of its snapshots:
 *
 *     snapshot
 *       id          number of the directory; never used twice
 *       name        key or name
 *       kind        active, view or committed
 *       parent      a committed one, or null
 *       labels      a JSON object
 *       created_at  microseconds since the epoch, as updated_at
 *       size        bytes and inodes of a committed one, once they were asked for
 */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('active', 'view', 'committed')),
        parent INTEGER REFERENCES snapshot (id),
        labels TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        size INTEGER,
        inodes INTEGER
      ) STRICT;
      CREATE INDEX snapshot_parent ON snapshot (parent);
    `,
  },
  {
    version: 2,
    // Earlier versions stored milliseconds.
    sql: 'UPDATE snapshot SET created_at = created_at * 1000, updated_at = updated_at * 1000',
  },
]
