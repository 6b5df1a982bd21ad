import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { SnapshotterClaims } from './claims.ts'
import { inView, layer, names, tree } from './layers.ts'
import type { CreateSnapshotter } from './subject.ts'

export function lifecycleTests(create: CreateSnapshotter, claims: SnapshotterClaims): void {
  describe('life cycle', () => {
    const test = subjectTest(create)

    test('keeps what is written to an active snapshot, commits it, and bases others on it', async (subject) => {
      const { snapshotter, withMounts } = subject
      const mounts = await snapshotter.prepare('one', undefined)
      expect(await snapshotter.mounts('one')).toEqual(mounts)
      await withMounts(mounts, async (path) => {
        await writeFile(join(path, 'file'), 'one')
        await mkdir(join(path, 'directory'))
      })
      await withMounts(await snapshotter.mounts('one'), async (path) => {
        expect(await tree(path)).toEqual({ directory: 'directory', file: 'one' })
      })
      expect(await snapshotter.commit('base', 'one')).toMatchObject({ name: 'base', kind: 'committed' })
      await expectCode(snapshotter.stat('one'), 'not_found')

      await withMounts(await snapshotter.prepare('two', 'base'), async (path) => {
        await writeFile(join(path, 'file'), 'two')
        await rm(join(path, 'directory'), { recursive: true })
      })
      await snapshotter.commit('top', 'two')
      expect(await inView(subject, 'base', tree)).toEqual({ directory: 'directory', file: 'one' })
      expect(await inView(subject, 'top', tree)).toEqual({ file: 'two' })
      expect(await names(snapshotter)).toEqual(['base', 'top'])
    })

    test('tells siblings apart', async (subject) => {
      const { snapshotter, withMounts } = subject
      await layer(subject, 'base', undefined, (path) => writeFile(join(path, 'file'), ''))
      for (const key of ['a', 'b'])
        await withMounts(await snapshotter.prepare(key, 'base'), (path) => writeFile(join(path, 'file'), key))
      for (const key of ['a', 'b'])
        await withMounts(await snapshotter.mounts(key), async (path) => {
          expect(await readFile(join(path, 'file'), 'utf8')).toBe(key)
        })
    })

    test('gives a key again once it is free', async ({ snapshotter, withMounts }) => {
      for (const name of ['one', 'two']) {
        await withMounts(await snapshotter.prepare('key', undefined), async (path) => {
          expect(await tree(path)).toEqual({})
          await writeFile(join(path, name), '')
        })
        await snapshotter.commit(name, 'key')
      }
      await withMounts(await snapshotter.prepare('key', undefined), (path) => writeFile(join(path, 'x'), ''))
      await snapshotter.remove('key')
      await withMounts(await snapshotter.prepare('key', undefined), async (path) => {
        expect(await tree(path)).toEqual({})
      })
    })

    test('refuses names that are taken', async ({ snapshotter }) => {
      await snapshotter.prepare('first', undefined)
      await snapshotter.commit('committed', 'first')
      await snapshotter.prepare('active', undefined)
      await snapshotter.view('view', 'committed')
      for (const taken of ['committed', 'active', 'view']) {
        await expectCode(snapshotter.prepare(taken, undefined), 'already_exists')
        await expectCode(snapshotter.view(taken, undefined), 'already_exists')
        if (taken !== 'active') await expectCode(snapshotter.commit(taken, 'active'), 'already_exists')
      }
      expect(await snapshotter.stat('active')).toMatchObject({ kind: 'active' })
    })

    test('does not commit under the key that is taken by the snapshot itself', async ({ snapshotter }) => {
      await snapshotter.prepare('same', undefined)
      await expectCode(snapshotter.commit('same', 'same'), 'already_exists')
    })

    test('bases nothing on what is not there or not committed', async ({ snapshotter }) => {
      await expect(snapshotter.prepare('key', 'none')).rejects.toThrow(
        'parent snapshot none does not exist: not found',
      )
      await expectCode(snapshotter.view('key', 'none'), 'not_found')
      await snapshotter.prepare('active', undefined)
      await expectCode(snapshotter.prepare('key', 'active'), 'invalid_argument')
      await snapshotter.view('view', undefined)
      await expectCode(snapshotter.prepare('key', 'view'), 'invalid_argument')
      expect(await names(snapshotter)).toEqual(['active', 'view'])
    })

    test('takes an empty parent for none', async ({ snapshotter }) => {
      await snapshotter.prepare('key', '')
      expect((await snapshotter.stat('key')).parent).toBeUndefined()
      expect(await snapshotter.commit('name', 'key', { parent: '' })).toMatchObject({ parent: undefined })
    })

    test('commits nothing but active snapshots', async ({ snapshotter }) => {
      await expectCode(snapshotter.commit('name', 'none'), 'not_found')
      await snapshotter.prepare('key', undefined)
      await snapshotter.commit('committed', 'key')
      await snapshotter.view('view', 'committed')
      for (const key of ['view', 'committed']) {
        const refused = snapshotter.commit('name', key)
        if (claims.commitCode) await expectCode(refused, 'failed_precondition')
        else await expect(refused).rejects.toThrow()
      }
      expect(await names(snapshotter)).toEqual(['committed', 'view'])
    })

    test('has mounts for active snapshots and views only', async ({ snapshotter }) => {
      await snapshotter.prepare('key', undefined)
      await snapshotter.commit('committed', 'key')
      await expect(snapshotter.mounts('committed')).rejects.toThrow(
        /requested snapshot .*committed not active or view: failed precondition/,
      )
      await expect(snapshotter.mounts('none')).rejects.toThrow('snapshot none does not exist: not found')
    })

    test('lets one of many win who want the same name', async ({ snapshotter }) => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 5 }, () => snapshotter.prepare('key', undefined)),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await snapshotter.prepare('other', undefined)
      const commits = await Promise.allSettled([
        snapshotter.commit('name', 'key'),
        snapshotter.commit('name', 'other'),
      ])
      expect(commits.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(await names(snapshotter)).toHaveLength(2)
    })

    test('moves files over those of a lower layer', async (subject) => {
      await layer(subject, 'base', undefined, async (path) => {
        await mkdir(join(path, 'old/below'), { recursive: true })
        await writeFile(join(path, 'old/below/file'), 'kept')
        await writeFile(join(path, 'over'), 'lower')
      })
      await layer(subject, 'top', 'base', async (path) => {
        await mkdir(join(path, 'new'))
        await rename(join(path, 'old/below/file'), join(path, 'over'))
        await rm(join(path, 'old'), { recursive: true })
        await rename(join(path, 'new'), join(path, 'old'))
      })
      expect(await inView(subject, 'top', tree)).toEqual({ old: 'directory', over: 'kept' })
    })
  })
}
