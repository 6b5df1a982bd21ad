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
INSERT INTO snapshot VALUES(1,'chain','committed',NULL,'{}',1700000000123,1700000001456,5,2);
INSERT INTO snapshot VALUES(4,'work','active',1,'{"s":"t"}',1700000000123,1700000001456,NULL,NULL);
CREATE INDEX snapshot_parent ON snapshot (parent);
