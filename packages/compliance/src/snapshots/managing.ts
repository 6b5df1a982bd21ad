import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SnapshotInfo } from '@nsbox/core/snapshots'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { SnapshotterClaims } from './claims.ts'
import { layer, names } from './layers.ts'
import type { CreateSnapshotter } from './subject.ts'

const plain = (info: SnapshotInfo) => ({ ...info, labels: { ...info.labels } })

export function managingTests(create: CreateSnapshotter, claims: SnapshotterClaims): void {
  describe('stat, labels and lists', () => {
    const test = subjectTest(create)

    test('tells what a snapshot is', async ({ snapshotter }) => {
      const before = Date.now()
      await snapshotter.prepare('one', undefined, { labels: { a: '1', empty: '' } })
      const active = await snapshotter.stat('one')
      expect(plain(active)).toMatchObject({
        name: 'one',
        kind: 'active',
        parent: undefined,
        labels: { a: '1' },
      })
      expect(active.labels).not.toHaveProperty('empty')
      // The server may be on another host with a different clock.
      expect(Math.abs(active.createdAt.epochMilliseconds - before)).toBeLessThan(60_000)
      expect(active.updatedAt).toEqual(active.createdAt)
      await snapshotter.commit('base', 'one')
      await snapshotter.prepare('two', 'base')
      expect(await snapshotter.stat('two')).toMatchObject({ kind: 'active', parent: 'base' })
      await expect(snapshotter.stat('none')).rejects.toThrow('snapshot none does not exist: not found')
    })

    test('gives a committed snapshot the labels of the commit and no others', async ({ snapshotter }) => {
      await snapshotter.prepare('key', undefined, { labels: { active: '1', both: '1' } })
      const info = await snapshotter.commit('name', 'key', { labels: { both: '2', new: '2', empty: '' } })
      expect({ ...info.labels }).toEqual({ both: '2', new: '2' })
      expect(plain(await snapshotter.stat('name'))).toEqual(plain(info))
    })

    test('changes labels of every kind of snapshot', async ({ snapshotter }) => {
      await snapshotter.prepare('key', undefined)
      await snapshotter.commit('committed', 'key')
      await snapshotter.prepare('active', 'committed')
      await snapshotter.view('view', 'committed')
      for (const name of ['committed', 'active', 'view']) {
        const before = await snapshotter.stat(name)
        await snapshotter.update(name, { merge: { keep: '1', drop: '1', 'dotted.key/x': '1' } })
        const merged = await snapshotter.update(name, { merge: { drop: '', 'dotted.key/x': '2' } })
        expect({ ...merged.labels }).toEqual({ keep: '1', 'dotted.key/x': '2' })
        expect(merged.updatedAt.epochMicroseconds).toBeGreaterThan(before.updatedAt.epochMicroseconds)
        expect(plain(await snapshotter.stat(name))).toEqual({
          ...plain(before),
          labels: { keep: '1', 'dotted.key/x': '2' },
          updatedAt: merged.updatedAt,
        })
        const replaced = await snapshotter.update(name, { replace: { other: '1', empty: '' } })
        expect({ ...replaced.labels }).toEqual({ other: '1' })
      }
      await expectCode(snapshotter.update('none', { merge: { a: '1' } }), 'not_found')
    })

    test('keeps the labels that others change at the same time', async ({ snapshotter }) => {
      await snapshotter.prepare('key', undefined)
      const keys = Array.from({ length: 10 }, (_, index) => `key-${index}`)
      await Promise.all(keys.map((key) => snapshotter.update('key', { merge: { [key]: 'x' } })))
      expect(Object.keys((await snapshotter.stat('key')).labels).sort()).toEqual(keys)
    })

    test('D05 refuses labels that are too long and changes nothing', async ({ snapshotter }) => {
      const labels = { long: 'v'.repeat(4096) }
      await expectCode(snapshotter.prepare('key', undefined, { labels }), 'invalid_argument')
      await expectCode(snapshotter.view('key', undefined, { labels }), 'invalid_argument')
      await snapshotter.prepare('key', undefined, { labels: { a: '1' } })
      await expectCode(snapshotter.update('key', { merge: labels }), 'invalid_argument')
      await expectCode(snapshotter.commit('name', 'key', { labels }), 'invalid_argument')
      expect({ ...(await snapshotter.stat('key')).labels }).toEqual({ a: '1' })
      expect(await names(snapshotter)).toEqual(['key'])
    })

    test('lists snapshots in the order of their names, however many', async ({ snapshotter }) => {
      expect(await names(snapshotter)).toEqual([])
      const keys = Array.from({ length: 450 }, (_, index) => `key ${index}`)
      for (let at = 0; at < keys.length; at += 50)
        await Promise.all(keys.slice(at, at + 50).map((key) => snapshotter.prepare(key, undefined)))
      expect(await names(snapshotter)).toEqual(keys.sort())
      for await (const { name } of snapshotter.list()) {
        expect(name).toBe(keys[0])
        break
      }
    })

    test('finds snapshots by filters', async ({ snapshotter }) => {
      await snapshotter.prepare('key', undefined)
      await snapshotter.commit('base', 'key', { labels: { 'a.b/c': 'x' } })
      await snapshotter.prepare('active', 'base', { labels: { kind: 'layer' } })
      await snapshotter.view('view', 'base')
      const found = (...filters: string[]) => names(snapshotter, ...filters)
      expect(await found('kind==active')).toEqual(['active'])
      expect(await found('kind==view')).toEqual(['view'])
      expect(await found('kind==committed')).toEqual(['base'])
      expect(await found('name==base')).toEqual(['base'])
      expect(await found('parent==base')).toEqual(['active', 'view'])
      expect(await found('parent!=base')).toEqual(['base'])
      expect(await found('labels.kind')).toEqual(['active'])
      expect(await found('labels."a.b/c"==x')).toEqual(['base'])
      expect(await found('parent==base,kind==view')).toEqual(['view'])
      expect(await found('name==base', 'kind==view')).toEqual(['base', 'view'])
      expect(await found('kind==none')).toEqual([])
    })

    test('refuses filters that do not parse', async ({ snapshotter }) => {
      const refused = names(snapshotter, 'name==')
      if (claims.filterCode) await expectCode(refused, 'invalid_argument')
      else await expect(refused).rejects.toThrow()
    })

    subjectTest(create, claims.parentPresence)('finds the snapshots that have a parent', async (subject) => {
      const { snapshotter } = subject
      await layer(subject, 'base', undefined)
      await snapshotter.prepare('active', 'base')
      expect(await names(snapshotter, 'parent')).toEqual(['active'])
    })
  })

  describe('usage', () => {
    const test = subjectTest(create)

    test('grows with what is written', async ({ snapshotter, withMounts }) => {
      const mounts = await snapshotter.prepare('key', undefined)
      const empty = await snapshotter.usage('key')
      await withMounts(mounts, async (path) => {
        await writeFile(join(path, 'file'), Buffer.alloc(1_000_000, 'x'))
        await writeFile(join(path, 'other'), '')
      })
      const full = await snapshotter.usage('key')
      expect(full.size - empty.size).toBeGreaterThanOrEqual(1_000_000)
      expect(full.size - empty.size).toBeLessThan(1_200_000)
      expect(full.inodes - empty.inodes).toBe(2)
      await snapshotter.commit('base', 'key')
      expect(await snapshotter.usage('base')).toEqual(full)
      await expectCode(snapshotter.usage('none'), 'not_found')
    })

    subjectTest(create, claims.usageAlone)('is that of the snapshot without its parents', async (subject) => {
      const { snapshotter } = subject
      await layer(subject, 'base', undefined, (path) =>
        writeFile(join(path, 'file'), Buffer.alloc(1_000_000, 'x')),
      )
      await layer(subject, 'empty', undefined)
      await layer(subject, 'top', 'base', (path) => writeFile(join(path, 'small'), 'x'))
      const [empty, top] = [await snapshotter.usage('empty'), await snapshotter.usage('top')]
      expect(top.size).toBeLessThan(100_000)
      expect(top.inodes - empty.inodes).toBe(1)
    })
  })
}
