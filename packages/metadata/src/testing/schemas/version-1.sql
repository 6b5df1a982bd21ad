CREATE TABLE namespace (
  name TEXT PRIMARY KEY,
  labels TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO namespace VALUES('ns','{"a":"b"}');
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
INSERT INTO image VALUES('ns','image','a/b','sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',4,'{"n":"m"}','{"l":"m"}',1700000000123,1700000001456,NULL);
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
INSERT INTO content VALUES('ns','sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',4,'{"containerd.io/gc.root":"now"}',1700000000123,1700000001456,1);
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
INSERT INTO ingest VALUES(7,'ns','ref',4,'sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',4,1700000000123,4102444800000);
CREATE TABLE lease (
  namespace TEXT NOT NULL REFERENCES namespace ON DELETE CASCADE,
  id TEXT NOT NULL,
  labels TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  flat INTEGER NOT NULL,
  PRIMARY KEY (namespace, id)
) STRICT, WITHOUT ROWID;
INSERT INTO lease VALUES('ns','lease','{"x":"y"}',1700000000123,4102444800000,0);
CREATE TABLE reference (
  namespace TEXT NOT NULL REFERENCES namespace ON DELETE CASCADE,
  from_kind TEXT NOT NULL,
  from_id TEXT NOT NULL,
  to_kind TEXT NOT NULL,
  to_id TEXT NOT NULL,
  back INTEGER NOT NULL,
  PRIMARY KEY (namespace, from_kind, from_id, to_kind, to_id, back)
) STRICT, WITHOUT ROWID;
INSERT INTO reference VALUES('ns','image','image','content','sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',0);
INSERT INTO reference VALUES('ns','lease','lease','content','sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',0);
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('ingest',7);
CREATE INDEX image_expiry ON image (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX content_digest ON content (digest);
CREATE INDEX content_root ON content (namespace, digest) WHERE root = 1;
CREATE INDEX ingest_shared ON ingest (expected) WHERE shared_size IS NOT NULL;
CREATE INDEX ingest_expiry ON ingest (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX lease_expiry ON lease (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX reference_back ON reference (namespace, to_kind, to_id) WHERE back = 1;
