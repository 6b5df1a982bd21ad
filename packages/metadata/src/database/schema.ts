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
 *   container/<id>                        image, runtime, spec, snapshotter and snapshot, sandbox, labels, times
 *     extension/<name>                    what clients keep with it
 *   sandbox/<id>                          runtime, spec, labels, times
 *     extension/<name>                    what clients keep with it
 *   snapshot/<snapshotter>/<name>         kind, parent, backing, labels, times, whether it is a root
 *   reference/<object>/<object>           the first keeps the second from being collected
 * backing/<id>                            a snapshot of a snapshotter, which snapshots of any number of namespaces are
 * ```
 *
 * Times are microseconds since 1970, those at which something expires milliseconds; labels and annotations are JSON
 * objects of strings.
 *
 * Deleting a namespace deletes what may be left in it, sandboxes too (`ON DELETE CASCADE`); images, content, containers
 * and snapshots must be gone before (`ON DELETE RESTRICT`).
 *
 * `reference` holds what the collector follows, taken apart when it is written, so that a collection reads an index
 * and parses nothing. Objects are pairs of a kind and an id: `image` and a name, `content` and a digest, `ingest` and
 * a ref, `lease` and an id, `snapshot/<snapshotter>` and a key, `container` or `sandbox` and an id. Neither end need
 * exist. A reference belongs to the object it starts from and goes with it; with `back` it was written by the object
 * that it leads to (`containerd.io/gc.bref.…`) and goes with that one.
 *
 * An ingest with a `shared_size` has no bytes of its own: it stands for the blob `expected` of the backend, which it
 * keeps there.
 *
 * The backing of a snapshot has the key that the snapshotter knows it by. It is made before the snapshotter is asked to
 * make the snapshot, and goes with the last row that stands for it unless a task uses it or another that is based on
 * it, so that one without a row is in use or being made, or was when its process died. A snapshot's parent is a row of
 * the same namespace, whose backing is the parent of its backing.
 *
 * `provenance` tells who may have written to a backing: only the server, which has applied one layer (`applied`, with
 * the layer's `diff_id`, and `late` if it was written for a parent that is given at commit), or others as well
 * (`private`). `directory` is where its files are written, `implied` what `AppliedLayer.implied` was, as a JSON array.
 * A backing with a `chain_id` has just what its layers make: any namespace may have it.
 *
 * Specs, options and extensions of containers are a type and a value of bytes. The table of containers has row ids,
 * since specs may be large and a table without would have to step over them.
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
  {
    version: 2,
    sql: `
      CREATE TABLE backing (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        snapshotter TEXT NOT NULL,
        key TEXT NOT NULL,
        parent INTEGER REFERENCES backing ON DELETE RESTRICT,
        directory TEXT,
        provenance TEXT NOT NULL CHECK (provenance IN ('untouched', 'applying', 'applied', 'private')),
        diff_id TEXT,
        late INTEGER NOT NULL,
        implied TEXT,
        chain_id TEXT,
        UNIQUE (snapshotter, key)
      ) STRICT;
      CREATE INDEX backing_parent ON backing (parent) WHERE parent IS NOT NULL;
      CREATE INDEX backing_directory ON backing (directory) WHERE directory IS NOT NULL;
      CREATE INDEX backing_chain_id ON backing (snapshotter, chain_id) WHERE chain_id IS NOT NULL;

      CREATE TABLE snapshot (
        namespace TEXT NOT NULL REFERENCES namespace ON DELETE RESTRICT,
        snapshotter TEXT NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('active', 'view', 'committed')),
        parent TEXT,
        backing INTEGER NOT NULL REFERENCES backing ON DELETE RESTRICT,
        labels TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        root INTEGER NOT NULL,
        PRIMARY KEY (namespace, snapshotter, name)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX snapshot_parent ON snapshot (namespace, snapshotter, parent) WHERE parent IS NOT NULL;
      CREATE INDEX snapshot_backing ON snapshot (backing);
      CREATE INDEX snapshot_root ON snapshot (namespace, snapshotter, name) WHERE root = 1;
    `,
  },
  {
    version: 3,
    sql: `
      CREATE TABLE container (
        namespace TEXT NOT NULL REFERENCES namespace ON DELETE RESTRICT,
        id TEXT NOT NULL,
        image TEXT NOT NULL,
        runtime TEXT NOT NULL,
        options_type TEXT,
        options BLOB,
        spec_type TEXT NOT NULL,
        spec BLOB NOT NULL,
        snapshotter TEXT NOT NULL,
        snapshot_key TEXT NOT NULL,
        sandbox TEXT NOT NULL,
        labels TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (namespace, id),
        CHECK ((options IS NULL) = (options_type IS NULL))
      ) STRICT;

      CREATE TABLE container_extension (
        namespace TEXT NOT NULL,
        container TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (namespace, container, name),
        FOREIGN KEY (namespace, container) REFERENCES container ON DELETE CASCADE
      ) STRICT;
    `,
  },
  {
    version: 4,
    sql: "UPDATE backing SET provenance = 'private' WHERE provenance IN ('untouched', 'applying')",
  },
  {
    version: 5,
    // Earlier versions stored milliseconds.
    sql: `
      UPDATE image SET created_at = created_at * 1000, updated_at = updated_at * 1000;
      UPDATE content SET created_at = created_at * 1000, updated_at = updated_at * 1000;
      UPDATE ingest SET started_at = started_at * 1000;
      UPDATE lease SET created_at = created_at * 1000;
      UPDATE snapshot SET created_at = created_at * 1000, updated_at = updated_at * 1000;
      UPDATE container SET created_at = created_at * 1000, updated_at = updated_at * 1000;
    `,
  },
  {
    version: 6,
    // A version 5 from before the other had these tables and stored milliseconds.
    sql: `
      UPDATE image SET created_at = created_at * 1000, updated_at = updated_at * 1000 WHERE created_at < 1e14;
      UPDATE content SET created_at = created_at * 1000, updated_at = updated_at * 1000 WHERE created_at < 1e14;
      UPDATE ingest SET started_at = started_at * 1000 WHERE started_at < 1e14;
      UPDATE lease SET created_at = created_at * 1000 WHERE created_at < 1e14;
      UPDATE snapshot SET created_at = created_at * 1000, updated_at = updated_at * 1000 WHERE created_at < 1e14;
      UPDATE container SET created_at = created_at * 1000, updated_at = updated_at * 1000 WHERE created_at < 1e14;

      CREATE TABLE IF NOT EXISTS sandbox (
        namespace TEXT NOT NULL REFERENCES namespace ON DELETE CASCADE,
        id TEXT NOT NULL,
        runtime TEXT NOT NULL,
        options_type TEXT,
        options BLOB,
        spec_type TEXT,
        spec BLOB,
        sandboxer TEXT NOT NULL,
        labels TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        PRIMARY KEY (namespace, id),
        CHECK ((options IS NULL) = (options_type IS NULL)),
        CHECK ((spec IS NULL) = (spec_type IS NULL))
      ) STRICT;

      CREATE TABLE IF NOT EXISTS sandbox_extension (
        namespace TEXT NOT NULL,
        sandbox TEXT NOT NULL,
        name TEXT NOT NULL,
        type TEXT NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (namespace, sandbox, name),
        FOREIGN KEY (namespace, sandbox) REFERENCES sandbox ON DELETE CASCADE
      ) STRICT;

      UPDATE sandbox SET created_at = created_at * 1000, updated_at = updated_at * 1000 WHERE created_at < 1e14;
    `,
  },
  {
    version: 7,
    // All that a listing of them reads is in the index, which only those have that are listed.
    sql: `
      CREATE INDEX container_restart ON container (namespace, id, labels, updated_at)
        WHERE json_extract(labels, '$."containerd.io/restart.status"') IS NOT NULL;
    `,
  },
]
