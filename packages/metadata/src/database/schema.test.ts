import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { openDatabase, type Reader } from '@nsbox/sqlite'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { createMetadata } from '../open-metadata.ts'
import { migrations } from './schema.ts'

const digest = `sha256:${'f'.repeat(64)}` as const

/** Makes a database as programs of an earlier version have left it: `testing/schemas` has their tables and rows. */
async function leave(path: string, name: string): Promise<void> {
  const sql = await readFile(join(import.meta.dirname, `../testing/schemas/version-${name}.sql`), 'utf8')
  const steps = Array.from({ length: Number.parseInt(name, 10) }, (_, index) => ({
    version: index + 1,
    sql: index === 0 ? sql : '',
  }))
  await (await openDatabase({ path, migrations: steps }))[Symbol.asyncDispose]()
}

/** Tables and indexes, without how they are written. */
function schemaOf(db: Reader): string[] {
  const rows = db.all<{ sql: string }>('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL')
  return rows.map(({ sql }) => sql.replace(/\s+/g, ' ')).sort()
}

const versions = [...migrations.map(({ version }) => String(version)), '5-sandboxes']

test.each(versions)('a database of version %s is brought up to date, with everything in it', async (name) => {
  const version = Number.parseInt(name, 10)
  // Of two that were version 5 for a while, one had sandboxes before times were changed.
  const hasSandboxes = version >= 6 || name === '5-sandboxes'
  const isInMilliseconds = version < 5 || name === '5-sandboxes'
  await using directory = await tempDir('nsbox-schema')
  const path = join(directory.path, 'metadata.db')
  await leave(path, name)
  await using content = await openContentStore({ root: join(directory.path, 'content') })
  const db = await openDatabase({ path, migrations })
  await using fresh = await openDatabase({ path: join(directory.path, 'fresh.db'), migrations })
  expect(schemaOf(db)).toEqual(schemaOf(fresh))
  const snapshots = db.all('SELECT name, kind, parent, labels, created_at, updated_at FROM snapshot')
  const backings = db.all('SELECT id, key, parent, provenance FROM backing')

  // Times were kept in milliseconds at first.
  const micros = isInMilliseconds ? ['.123Z', '.456Z'] : ['.123456Z', '.456789Z']
  const [created, updated] = [`2023-11-14T22:13:20${micros[0]}`, `2023-11-14T22:13:21${micros[1]}`]
  const [createdAt, updatedAt] = isInMilliseconds ? [123_000, 1_456_000] : [123_456, 1_456_789]
  const stamps = { created_at: 17e14 + createdAt!, updated_at: 17e14 + updatedAt! }
  await using metadata = createMetadata(db, { content, collector: { manual: true } })
  const view = metadata.namespace('ns')
  expect(await metadata.namespaces.list()).toEqual([{ name: 'ns', labels: { a: 'b' } }])
  const image = await view.images.get('image')
  const target = { mediaType: 'a/b', digest, size: 4, annotations: { n: 'm' } }
  expect(image).toMatchObject({ target, labels: { l: 'm' } })
  const blob = await view.content.info(digest)
  expect(blob).toMatchObject({ size: 4, labels: { 'containerd.io/gc.root': 'now' } })
  expect(await view.content.status('ref')).toMatchObject({ total: 4, expected: digest })
  const [lease] = await view.leases.list()
  expect(lease).toMatchObject({ id: 'lease', labels: { x: 'y' } })
  expect(await view.leases.resources('lease')).toEqual([{ type: 'content', id: digest }])
  for (const each of [image, blob]) {
    expect(String(each.createdAt)).toBe(created)
    expect(String(each.updatedAt)).toBe(updated)
  }
  expect(String(lease!.createdAt)).toBe(created)
  if (version < 2) return
  expect(snapshots).toEqual([
    { ...stamps, name: 'sha256:chain', kind: 'committed', parent: null, labels: '{}' },
    { ...stamps, name: 'work', kind: 'active', parent: 'sha256:chain', labels: '{"s":"t"}' },
  ])
  // What a killed server had not written to is not known any more.
  expect(backings).toEqual([
    { id: 1, key: 'ns/1/chain', parent: null, provenance: 'private' },
    { id: 2, key: 'ns/2/work', parent: 1, provenance: 'private' },
  ])
  if (version < 3) return
  const container = await view.containers.get('box')
  expect(container).toMatchObject({
    image: 'image',
    runtime: { name: 'io.containerd.runc.v2', options: { typeUrl: 'opt' } },
    snapshotKey: 'work',
    spec: { typeUrl: 'spec' },
  })
  expect(Object.keys(container.extensions)).toEqual(['ext'])
  expect(String(container.createdAt)).toBe(created)
  const restartable: string[] = []
  for await (const { id } of metadata.restartable()) restartable.push(id)
  expect(restartable).toEqual(['box'])
  if (!hasSandboxes) return
  const sandbox = await view.sandboxes.get('sand')
  expect(sandbox).toMatchObject({ labels: { q: 'r' }, spec: { typeUrl: 'spec' } })
  expect(String(sandbox.createdAt)).toBe(created)
})
