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
INSERT INTO image VALUES('ns','image','a/b','sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',4,'{"n":"m"}','{"l":"m"}',1700000000123456,1700000001456789,NULL);
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
INSERT INTO content VALUES('ns','sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',4,'{"containerd.io/gc.root":"now"}',1700000000123456,1700000001456789,1);
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
INSERT INTO ingest VALUES(7,'ns','ref',4,'sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',4,1700000000123456,4102444800000);
CREATE TABLE lease (
  namespace TEXT NOT NULL REFERENCES namespace ON DELETE CASCADE,
  id TEXT NOT NULL,
  labels TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  flat INTEGER NOT NULL,
  PRIMARY KEY (namespace, id)
) STRICT, WITHOUT ROWID;
INSERT INTO lease VALUES('ns','lease','{"x":"y"}',1700000000123456,4102444800000,0);
CREATE TABLE reference (
  namespace TEXT NOT NULL REFERENCES namespace ON DELETE CASCADE,
  from_kind TEXT NOT NULL,
  from_id TEXT NOT NULL,
  to_kind TEXT NOT NULL,
  to_id TEXT NOT NULL,
  back INTEGER NOT NULL,
  PRIMARY KEY (namespace, from_kind, from_id, to_kind, to_id, back)
) STRICT, WITHOUT ROWID;
INSERT INTO reference VALUES('ns','container','box','snapshot/overlayfs','work',0);
INSERT INTO reference VALUES('ns','image','image','content','sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',0);
INSERT INTO reference VALUES('ns','lease','lease','content','sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',0);
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
INSERT INTO backing VALUES(1,'overlayfs','ns/1/chain',NULL,'/d/1','private',NULL,0,NULL,'sha256:chain');
INSERT INTO backing VALUES(2,'overlayfs','ns/2/work',1,'/d/2','private',NULL,0,NULL,NULL);
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
INSERT INTO snapshot VALUES('ns','overlayfs','sha256:chain','committed',NULL,1,'{}',1700000000123456,1700000001456789,0);
INSERT INTO snapshot VALUES('ns','overlayfs','work','active','sha256:chain',2,'{"s":"t"}',1700000000123456,1700000001456789,0);
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
INSERT INTO container VALUES('ns','box','image','io.containerd.runc.v2','opt',X'01','spec',X'7b7d','overlayfs','work','','{"containerd.io/restart.status":"running"}',1700000000123456,1700000001456789);
CREATE TABLE container_extension (
  namespace TEXT NOT NULL,
  container TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (namespace, container, name),
  FOREIGN KEY (namespace, container) REFERENCES container ON DELETE CASCADE
) STRICT;
INSERT INTO container_extension VALUES('ns','box','ext','type',X'02');
CREATE TABLE sandbox (
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
INSERT INTO sandbox VALUES('ns','sand','io.containerd.runc.v2',NULL,NULL,'spec',X'7b7d','shim','{"q":"r"}',1700000000123456,1700000001456789);
CREATE TABLE sandbox_extension (
  namespace TEXT NOT NULL,
  sandbox TEXT NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (namespace, sandbox, name),
  FOREIGN KEY (namespace, sandbox) REFERENCES sandbox ON DELETE CASCADE
) STRICT;
INSERT INTO sandbox_extension VALUES('ns','sand','ext','type',X'03');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('ingest',7);
INSERT INTO sqlite_sequence VALUES('backing',2);
CREATE INDEX image_expiry ON image (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX content_digest ON content (digest);
CREATE INDEX content_root ON content (namespace, digest) WHERE root = 1;
CREATE INDEX ingest_shared ON ingest (expected) WHERE shared_size IS NOT NULL;
CREATE INDEX ingest_expiry ON ingest (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX lease_expiry ON lease (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX reference_back ON reference (namespace, to_kind, to_id) WHERE back = 1;
CREATE INDEX backing_parent ON backing (parent) WHERE parent IS NOT NULL;
CREATE INDEX backing_directory ON backing (directory) WHERE directory IS NOT NULL;
CREATE INDEX backing_chain_id ON backing (snapshotter, chain_id) WHERE chain_id IS NOT NULL;
CREATE INDEX snapshot_parent ON snapshot (namespace, snapshotter, parent) WHERE parent IS NOT NULL;
CREATE INDEX snapshot_backing ON snapshot (backing);
CREATE INDEX snapshot_root ON snapshot (namespace, snapshotter, name) WHERE root = 1;
