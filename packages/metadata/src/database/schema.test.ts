import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { openDatabase } from '@nsbox/sqlite'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { createMetadata } from '../open-metadata.ts'
import { migrations } from './schema.ts'

const digest = `sha256:${'a'.repeat(64)}` as const
const [created, updated] = [1_700_000_000_123, 1_700_000_001_456]
const createdText = '2023-11-14T22:13:20.123Z'
const updatedText = '2023-11-14T22:13:21.456Z'

test('times that were kept in milliseconds are read as they were', async () => {
  await using directory = await tempDir('nsbox-schema')
  const path = join(directory.path, 'metadata.db')
  {
    await using db = await openDatabase({ path, migrations: migrations.slice(0, 4) })
    db.transaction((tx) => {
      const times = [created, updated]
      tx.run("INSERT INTO namespace VALUES ('ns', '{}')")
      tx.run("INSERT INTO image VALUES ('ns', 'i', 'a/b', ?, 1, '{}', '{}', ?, ?, NULL)", digest, ...times)
      tx.run("INSERT INTO content VALUES ('ns', ?, 1, '{}', ?, ?, 0)", digest, ...times)
      tx.run("INSERT INTO lease VALUES ('ns', 'l', '{}', ?, NULL, 0)", created)
      tx.run(
        `INSERT INTO ingest (namespace, ref, total, expected, shared_size, started_at, expires_at)
         VALUES ('ns', 'r', 1, ?, 1, ?, NULL)`,
        ...[digest, created],
      )
      tx.run(
        "INSERT INTO container VALUES ('ns', 'c', '', 'r', NULL, NULL, 't', x'00', '', '', '', '{}', ?, ?)",
        ...times,
      )
      tx.run("INSERT INTO backing VALUES (1, 'overlayfs', 'k', NULL, NULL, 'private', NULL, 0, NULL, NULL)")
      tx.run(
        "INSERT INTO snapshot VALUES ('ns', 'overlayfs', 's', 'active', NULL, 1, '{}', ?, ?, 0)",
        ...times,
      )
    })
  }
  await using content = await openContentStore({ root: join(directory.path, 'content') })
  const db = await openDatabase({ path, migrations })
  const snapshot = db.get('SELECT created_at, updated_at FROM snapshot')
  await using metadata = createMetadata(db, { content, collector: { manual: true } })
  const { images, content: blobs, leases, containers } = metadata.namespace('ns')
  for (const { createdAt, updatedAt } of [
    await images.get('i'),
    await blobs.info(digest),
    await containers.get('c'),
  ]) {
    expect(String(createdAt)).toBe(createdText)
    expect(String(updatedAt)).toBe(updatedText)
  }
  expect((await leases.list()).map(({ createdAt }) => String(createdAt))).toEqual([createdText])
  expect(String((await blobs.status('r')).startedAt)).toBe(createdText)
  expect(snapshot).toEqual({ created_at: created * 1000, updated_at: updated * 1000 })
})
