import type { Migration } from '@nsbox/sqlite'

/**
 * The database as a tree:
 *
 * ```
 * namespace/<name>                        labels
 *   image/<name>                          target (media type, digest, size, annotations), labels, times, expiry
 *   content/<digest>                      size, labels, times, whether it is a root
 *   ingest/<ref>                          number, total, expected digest, start, expiry
 *   lease/<id>                            labels, creation, expiry, whether it is flat
 *   reference/<object>/<object>           the first keeps the second from being collected
 * ```
 *
 * Times are milliseconds since 1970, labels and annotations JSON objects of strings.
 *
 * What a namespace may still hold when it is deleted goes with it (`ON DELETE CASCADE`); images and content, which
 * must be gone before, keep it (`ON DELETE RESTRICT`).
 *
 * `reference` holds what the collector follows, taken apart when it is written, so that a collection reads an index
 * and parses nothing. Objects are pairs of a kind and an id: `image` and a name, `content` and a digest, `ingest` and
 * a ref, `lease` and an id, `snapshot/<snapshotter>` and a key, `container` and an id. Neither end need exist. A
 * reference belongs to the object it starts from and goes with it; with `back` it was written by the object that it
 * leads to (`containerd.io/gc.bref.…`) and goes with that one.
 *
 * An ingest with a `shared_size` has no bytes of its own: it stands for the blob `expected` of the backend, which it
 * keeps there.
 */
export const migrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
      CREATE TABLE namespace (
        name TEXT PRIMARY KEY,
        labels TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE image (
        namespace TEXT NOT NULL REFERENCES namespace ON DELETE RESTRICT,
        name TEXT NOT NULL,
        media_type TEXT NOT NULL,
        digest TEXT NOT NULL,
        size INTEGER NOT NULL,
        annotations TEXT NOT NULL,
        labels TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        expires_at INTEGER,
        PRIMARY KEY (namespace, name)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX image_expiry ON image (expires_at) WHERE expires_at IS NOT NULL;

      CREATE TABLE content (
        namespace TEXT NOT NULL REFERENCES namespace ON DELETE RESTRICT,
        digest TEXT NOT NULL,
        size INTEGER NOT NULL,
        labels TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        root INTEGER NOT NULL,
        PRIMARY KEY (namespace, digest)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX content_digest ON content (digest);
      CREATE INDEX content_root ON content (namespace, digest) WHERE root = 1;

      CREATE TABLE ingest (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        namespace TEXT NOT NULL REFERENCES namespace ON DELETE CASCADE,
        ref TEXT NOT NULL,
        total INTEGER NOT NULL,
        expected TEXT,
        shared_size INTEGER,
        started_at INTEGER NOT NULL,
        expires_at INTEGER,
        UNIQUE (namespace, ref)
      ) STRICT;
      CREATE INDEX ingest_shared ON ingest (expected) WHERE shared_size IS NOT NULL;
      CREATE INDEX ingest_expiry ON ingest (expires_at) WHERE expires_at IS NOT NULL;

      CREATE TABLE lease (
        namespace TEXT NOT NULL REFERENCES namespace ON DELETE CASCADE,
        id TEXT NOT NULL,
        labels TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        flat INTEGER NOT NULL,
        PRIMARY KEY (namespace, id)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX lease_expiry ON lease (expires_at) WHERE expires_at IS NOT NULL;

      CREATE TABLE reference (
        namespace TEXT NOT NULL REFERENCES namespace ON DELETE CASCADE,
        from_kind TEXT NOT NULL,
        from_id TEXT NOT NULL,
        to_kind TEXT NOT NULL,
        to_id TEXT NOT NULL,
        back INTEGER NOT NULL,
        PRIMARY KEY (namespace, from_kind, from_id, to_kind, to_id, back)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX reference_back ON reference (namespace, to_kind, to_id) WHERE back = 1;
    `,
  },
]
