import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { SnapshotterClaims } from './claims.ts'
import { inView, layer, names, tree } from './layers.ts'
import type { CreateSnapshotter } from './subject.ts'

export function removingTests(create: CreateSnapshotter, claims: SnapshotterClaims): void {
  describe('removing', () => {
    const test = subjectTest(create)

    test('goes from the children to the parents', async (subject) => {
      const { snapshotter } = subject
      await layer(subject, 'base', undefined)
      await layer(subject, 'top', 'base')
      await snapshotter.prepare('active', 'top')
      await snapshotter.view('view', 'top')
      for (const [parent, children] of [
        ['top', ['active', 'view']],
        ['base', ['top']],
      ] as const) {
        for (const child of children) {
          await expect(snapshotter.remove(parent)).rejects.toThrow(
            'cannot remove snapshot with child: failed precondition',
          )
          await snapshotter.remove(child)
          await expectCode(snapshotter.stat(child), 'not_found')
        }
      }
      await snapshotter.remove('base')
      expect(await names(snapshotter)).toEqual([])
    })

    test('fails for what is not there', async ({ snapshotter }) => {
      await expect(snapshotter.remove('none')).rejects.toThrow('snapshot none does not exist: not found')
      await snapshotter.prepare('key', undefined)
      await snapshotter.remove('key')
      await expectCode(snapshotter.remove('key'), 'not_found')
      await expectCode(snapshotter.mounts('key'), 'not_found')
      await expectCode(snapshotter.commit('name', 'key'), 'not_found')
      await expectCode(snapshotter.usage('key'), 'not_found')
    })

    test('leaves siblings and parents whole', async (subject) => {
      const { snapshotter } = subject
      await layer(subject, 'base', undefined, (path) => writeFile(join(path, 'base'), ''))
      for (const name of ['left', 'right'])
        await layer(subject, name, 'base', (path) => writeFile(join(path, name), ''))
      await snapshotter.remove('left')
      expect(await inView(subject, 'right', tree)).toEqual({ base: '', right: '' })
      expect(await inView(subject, 'base', tree)).toEqual({ base: '' })
    })

    test('leaves no child without its parent when one is removed while the other is made', async (subject) => {
      const { snapshotter } = subject
      await layer(subject, 'base', undefined)
      const outcomes = await Promise.allSettled([
        snapshotter.prepare('key', 'base'),
        snapshotter.remove('base'),
      ])
      // In either order, no child is without its parent.
      const left = await names(snapshotter)
      expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true)
      if (left.includes('key')) expect(left).toContain('base')
    })

    subjectTest(create, claims.cleanup)('is not what cleaning up does to snapshots', async (subject) => {
      const { snapshotter, withMounts } = subject
      await layer(subject, 'base', undefined, (path) => writeFile(join(path, 'file'), 'x'))
      await withMounts(await snapshotter.prepare('key', 'base'), (path) => writeFile(join(path, 'new'), 'y'))
      await snapshotter.cleanup()
      expect(await names(snapshotter)).toEqual(['base', 'key'])
      expect(await withMounts(await snapshotter.mounts('key'), tree)).toEqual({ file: 'x', new: 'y' })
    })
  })
}
