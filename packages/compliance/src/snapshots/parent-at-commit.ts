import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { SnapshotterClaims } from './claims.ts'
import { inView, layer, names, tree } from './layers.ts'
import type { CreateSnapshotter } from './subject.ts'

export function parentAtCommitTests(create: CreateSnapshotter, claims: SnapshotterClaims): void {
  describe('a parent given at commit', () => {
    const test = subjectTest(create, claims.parentAtCommit)

    test('lies below what was written without it', async (subject) => {
      const { snapshotter, withMounts } = subject
      const keys = ['one', 'two', 'three']
      await Promise.all(
        keys.map(async (key) => {
          await withMounts(await snapshotter.prepare(key, undefined), async (path) => {
            await writeFile(join(path, key), key)
            await writeFile(join(path, 'all'), key)
          })
        }),
      )
      let parent: string | undefined
      for (const key of keys) {
        expect(await snapshotter.commit(`layer ${key}`, key, { parent })).toMatchObject({ parent })
        parent = `layer ${key}`
      }
      expect(await inView(subject, 'layer three', tree)).toEqual({
        all: 'three',
        one: 'one',
        three: 'three',
        two: 'two',
      })
      expect(await inView(subject, 'layer one', tree)).toEqual({ all: 'one', one: 'one' })
      await expectCode(snapshotter.remove('layer one'), 'failed_precondition')
    })

    test('must be there, committed, and no other than the snapshot has', async (subject) => {
      const { snapshotter } = subject
      await layer(subject, 'base', undefined)
      await layer(subject, 'other', undefined)
      await snapshotter.prepare('active', undefined)
      await snapshotter.prepare('free', undefined)
      await snapshotter.prepare('bound', 'base')
      await expect(snapshotter.commit('name', 'free', { parent: 'none' })).rejects.toThrow(
        'parent snapshot none does not exist: not found',
      )
      await expectCode(snapshotter.commit('name', 'free', { parent: 'active' }), 'invalid_argument')
      await expectCode(snapshotter.commit('name', 'free', { parent: 'free' }), 'invalid_argument')
      await expectCode(snapshotter.commit('name', 'bound', { parent: 'other' }), 'failed_precondition')
      expect(await names(snapshotter, 'kind==active')).toEqual(['active', 'bound', 'free'])
      expect(await snapshotter.commit('name', 'bound', { parent: 'base' })).toMatchObject({ parent: 'base' })
    })
  })
}
