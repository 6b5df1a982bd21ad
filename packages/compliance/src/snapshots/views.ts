import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { subjectTest } from '../subject-test.ts'
import { layer, tree } from './layers.ts'
import type { CreateSnapshotter } from './subject.ts'

export function viewTests(create: CreateSnapshotter): void {
  describe('views', () => {
    const test = subjectTest(create)

    async function expectReadOnly(path: string): Promise<void> {
      await expect(writeFile(join(path, 'new'), '')).rejects.toMatchObject({ code: 'EROFS' })
      await expect(mkdir(join(path, 'new'))).rejects.toMatchObject({ code: 'EROFS' })
    }

    test('cannot be written to, whatever their depth', async (subject) => {
      const { snapshotter, withMounts } = subject
      await withMounts(await snapshotter.view('view 0', undefined), async (path) => {
        expect(await tree(path)).toEqual({})
        await expectReadOnly(path)
      })
      const expected: Record<string, string> = {}
      for (const depth of [1, 2, 3]) {
        const parent = depth === 1 ? undefined : `layer ${depth - 1}`
        await layer(subject, `layer ${depth}`, parent, (path) => writeFile(join(path, `file ${depth}`), ''))
        expected[`file ${depth}`] = ''
        await withMounts(await snapshotter.view(`view ${depth}`, `layer ${depth}`), async (path) => {
          expect(await tree(path)).toEqual(expected)
          await expectReadOnly(path)
          await expect(rm(join(path, 'file 1'))).rejects.toMatchObject({ code: 'EROFS' })
        })
      }
    })

    test('are views in what is known of them', async ({ snapshotter }) => {
      await snapshotter.prepare('key', undefined)
      await snapshotter.commit('base', 'key')
      await snapshotter.view('view', 'base', { labels: { a: '1' } })
      const info = await snapshotter.stat('view')
      expect({ ...info, labels: { ...info.labels } }).toMatchObject({
        kind: 'view',
        parent: 'base',
        labels: { a: '1' },
      })
      expect(await snapshotter.usage('view')).toEqual({ size: 0, inodes: 0 })
    })

    test('have the root directory of their parent', async (subject) => {
      const { snapshotter, withMounts } = subject
      await layer(subject, 'base', undefined)
      const modeOf = async (path: string) => (await stat(path)).mode & 0o7777
      expect(await withMounts(await snapshotter.view('view', 'base'), modeOf)).toBe(0o755)
    })
  })
}
