import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import type { Labels } from '@nsbox/core/labels'
import { labelKeys } from '@nsbox/oci'
import { openDatabase } from '@nsbox/sqlite'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, test } from 'vitest'
import { migrations } from '../database/schema.ts'
import { openMetadata } from '../open-metadata.ts'
import { namesOf, SnapshotSandbox, type Tenant, testLayer } from '../testing/snapshot-sandbox.ts'

/** A namespace with the snapshots `base`, `top` on it, and `work`, an active one, on that, which nothing holds. */
async function withChain(
  body: (tenant: Tenant, sandbox: SnapshotSandbox, left: () => Promise<string[]>) => Promise<void>,
): Promise<void> {
  await using sandbox = await SnapshotSandbox.open()
  const tenant = await sandbox.tenant('ns', null)
  const { snapshotter } = tenant
  for (const [name, parent] of [
    ['base', undefined],
    ['top', 'base'],
  ] as const) {
    await snapshotter.prepare('key', parent)
    await snapshotter.commit(name, 'key')
  }
  await snapshotter.prepare('work', 'top')
  const left = async () => {
    await sandbox.metadata.collect()
    const names = await namesOf(snapshotter)
    expect(await sandbox.backings()).toHaveLength(names.length)
    return names
  }
  await body(tenant, sandbox, left)
}

const to = (name: string) => ({ [`${labelKeys.gcRefSnapshot}.overlayfs`]: name })
const layer = testLayer({ name: 'x' })

describeWith({ root: true, linux: true }, 'snapshots are collected', () => {
  test('if nothing holds them, active ones too, children first and each announced', () =>
    withChain(async (_tenant, sandbox, left) => {
      expect(await sandbox.metadata.collect()).toMatchObject({ snapshots: 3, trees: 3 })
      expect(await left()).toEqual([])
      expect(sandbox.events.slice(-3)).toEqual(
        ['work', 'top', 'base'].map((key) => [
          'ns',
          { topic: '/snapshot/remove', payload: { key, snapshotter: 'overlayfs' } },
        ]),
      )
    }))

  test('unless they have the label of a root, or something on them has', () =>
    withChain(async ({ snapshotter }, _sandbox, left) => {
      await snapshotter.update('top', { merge: { [labelKeys.gcRoot]: 'x' } })
      expect(await left()).toEqual(['base', 'top'])
      await snapshotter.prepare('rooted', 'top', { labels: { [labelKeys.gcRoot]: 'x' } })
      await snapshotter.update('top', { merge: { [labelKeys.gcRoot]: '' } })
      expect(await left()).toEqual(['base', 'rooted', 'top'])
      await snapshotter.commit('rooted still', 'rooted', { labels: { [labelKeys.gcRoot]: 'x' } })
      expect(await left()).toEqual(['base', 'rooted still', 'top'])
      await snapshotter.update('rooted still', { replace: {} })
      expect(await left()).toEqual([])
    }))

  test('unless images or content refer to them', () =>
    withChain(async (tenant, sandbox, left) => {
      const { images, content } = tenant.view
      await sandbox.store(tenant, layer)
      await content.update(layer.diffId, { replace: to('top') })
      await images.create({ name: 'image', target: layer.descriptor, labels: to('work') })
      expect(await left()).toEqual(['base', 'top', 'work'])
      await images.update('image', { labels: { replace: {} } })
      expect(await left()).toEqual(['base', 'top'])
      await images.update('image', { labels: { replace: { [`${labelKeys.gcRefSnapshot}.native`]: 'top' } } })
      await content.update(layer.diffId, { replace: { [`${labelKeys.gcRefSnapshot}.overlayfs/1`]: 'base' } })
      expect(await left()).toEqual(['base'])
      await images.delete('image', { sync: true })
      expect(await left()).toEqual([])
    }))

  test('unless containers have them for root file systems, or refer to them', () =>
    withChain(async ({ view: { containers } }, _sandbox, left) => {
      const container = {
        id: 'x',
        runtime: { name: 'io.containerd.runc.v2' },
        spec: { typeUrl: 'x', value: Uint8Array.of(1) },
        snapshotter: 'overlayfs',
      }
      await containers.create({ ...container, snapshotKey: 'work' })
      await containers.create({ ...container, id: 'y', snapshotter: 'native', snapshotKey: 'top' })
      expect(await left()).toEqual(['base', 'top', 'work'])
      await containers.update({ ...container, snapshotKey: '', labels: to('top') }, ['snapshotkey', 'labels'])
      expect(await left()).toEqual(['base', 'top'])
      await containers.delete('x')
      expect(await left()).toEqual([])
    }))

  test('with what they refer to', () =>
    withChain(async (tenant, sandbox, left) => {
      const { snapshotter, view } = tenant
      await sandbox.store(tenant, layer)
      const labels: Labels = { [labelKeys.gcRoot]: 'x', [labelKeys.gcRefContent]: layer.diffId, ...to('top') }
      await snapshotter.prepare('rooted', undefined, { labels })
      expect(await left()).toEqual(['base', 'rooted', 'top'])
      expect((await view.content.info(layer.diffId)).size).toBe(layer.bytes.length)
      await snapshotter.update('rooted', { replace: {} })
      expect(await sandbox.metadata.collect()).toMatchObject({ snapshots: 3, content: 1, trees: 3, blobs: 1 })
    }))

  test('unless a lease holds them, which has their parents too even if it is flat', () =>
    withChain(async ({ snapshotter, view }, _sandbox, left) => {
      await snapshotter.prepare('other', undefined)
      await snapshotter.update('top', { merge: to('other') })
      await view.leases.create({ id: 'flat', labels: { [labelKeys.gcFlat]: 'x' } })
      await view.leases.addResource('flat', { type: 'snapshots/overlayfs', id: 'top' })
      expect(await left()).toEqual(['base', 'top'])
      await view.leases.addResource('flat', { type: 'snapshots/native', id: 'top' })
      await view.leases.deleteResource('flat', { type: 'snapshots/overlayfs', id: 'top' })
      expect(await left()).toEqual([])
    }))

  test('unless they were made under a lease, under whichever name', () =>
    withChain(async ({ snapshotter, view }, sandbox, left) => {
      const leased = await sandbox.tenant('ns')
      await leased.snapshotter.prepare('leased', 'top')
      await leased.snapshotter.view('view', 'top')
      expect(await left()).toEqual(['base', 'leased', 'top', 'view'])
      await leased.snapshotter.commit('committed', 'leased')
      await leased.snapshotter.remove('view')
      expect(await left()).toEqual(['base', 'committed', 'top'])
      expect(await view.leases.resources('lease')).toEqual([{ type: 'snapshots/overlayfs', id: 'committed' }])
      await view.leases.delete('lease', { sync: true })
      expect(await namesOf(snapshotter)).toEqual([])
    }))

  test('unless they were found under a lease, by which the caller builds on them', () =>
    withChain(async ({ view }, sandbox, left) => {
      const leased = await sandbox.tenant('ns')
      for (let times = 0; times < 2; times++) await leased.snapshotter.stat('top')
      expect(await left()).toEqual(['base', 'top'])
      expect(await view.leases.resources('lease')).toEqual([{ type: 'snapshots/overlayfs', id: 'top' }])
      await view.leases.delete('lease')
      expect(await leased.snapshotter.stat('top')).toMatchObject({ name: 'top' })
      expect(await left()).toEqual([])
    }))

  test('with a namespace’s other things, so that it can be deleted', () =>
    withChain(async (_tenant, sandbox, left) => {
      await left()
      await sandbox.metadata.namespaces.delete('ns')
    }))
})

/** A store with this many snapshots in one namespace, in chains of ten, of a snapshotter that is not loaded. */
async function withRows(
  count: number,
  labels: (index: number) => Labels,
  body: (metadata: Awaited<ReturnType<typeof openMetadata>>) => Promise<void>,
) {
  await using directory = await tempDir('nsbox-collecting')
  const path = join(directory.path, 'metadata.db')
  {
    await using db = await openDatabase({ path, migrations, durability: 'relaxed' })
    db.transaction((tx) => {
      tx.run("INSERT INTO namespace VALUES ('ns', '{}')")
      for (let id = 1; id <= count; id++) {
        const parent = id % 10 === 1 ? null : `${id - 1}`
        tx.run(
          "INSERT INTO backing (id, snapshotter, key, provenance, late) VALUES (?, 'gone', ?, 'private', 0)",
          id,
          `ns/${id}/${id}`,
        )
        tx.run(
          "INSERT INTO snapshot VALUES ('ns', 'gone', ?, 'committed', ?, ?, ?, 0, 0, ?)",
          ...[`${id}`, parent, id, JSON.stringify(labels(id)), labelKeys.gcRoot in labels(id) ? 1 : 0],
        )
      }
    })
  }
  await using content = await openContentStore({ root: join(directory.path, 'content') })
  const collector = { startupDelay: 3_600_000 }
  await using metadata = await openMetadata({ path, content, durability: 'relaxed', collector })
  await body(metadata)
}

describe('very many snapshots', () => {
  test('are collected in several transactions, none of which takes a parent before its child', () =>
    withRows(
      1234,
      () => ({}),
      async (metadata) => {
        expect(await metadata.collect()).toMatchObject({ snapshots: 1234, trees: 0 })
        await metadata.namespaces.delete('ns')
      },
    ))

  test('are all kept by what is on top of them', () =>
    withRows(
      1230,
      (index): Labels => (index % 10 === 0 ? { [labelKeys.gcRoot]: 'x' } : {}),
      async (metadata) => {
        expect(await metadata.collect()).toMatchObject({ snapshots: 0 })
      },
    ))
})
