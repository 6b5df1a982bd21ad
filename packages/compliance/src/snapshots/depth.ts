import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { subjectTest } from '../subject-test.ts'
import { inView, layer, tree } from './layers.ts'
import type { CreateSnapshotter } from './subject.ts'

const layers = 128

export function depthTests(create: CreateSnapshotter): void {
  describe('depth', () => {
    const test = subjectTest(create)

    test(`reaches ${layers} layers`, async (subject) => {
      const { snapshotter, withMounts } = subject
      const expected: Record<string, string> = { bottom: '' }
      await layer(subject, 'layer 1', undefined, (path) => writeFile(join(path, 'bottom'), ''))
      for (let depth = 2; depth <= layers; depth++) {
        const parent = `layer ${depth - 1}`
        if (depth % 8 > 1) {
          // Nothing changes, and nothing has to be mounted: that of every layer takes seconds.
          await snapshotter.prepare('nothing', parent)
          await snapshotter.commit(`layer ${depth}`, 'nothing')
          continue
        }
        await layer(subject, `layer ${depth}`, parent, async (path) => {
          await writeFile(join(path, `file ${depth}`), `${depth}`)
          if (depth % 8 === 1) await rm(join(path, `file ${depth - 1}`))
        })
        if (depth % 8 === 1 || depth === layers) expected[`file ${depth}`] = `${depth}`
      }
      expect(await inView(subject, `layer ${layers}`, tree)).toEqual(expected)
      await withMounts(await snapshotter.prepare('on top', `layer ${layers}`), async (path) => {
        await writeFile(join(path, 'bottom'), 'changed')
        expect(await tree(path)).toEqual({ ...expected, bottom: 'changed' })
      })
    })

    test('does not show in what is known of a snapshot, which has one parent', async (subject) => {
      const { snapshotter } = subject
      await layer(subject, 'one', undefined)
      await layer(subject, 'two', 'one')
      await layer(subject, 'three', 'two')
      expect(await snapshotter.stat('three')).toMatchObject({ parent: 'two' })
      expect(await snapshotter.stat('two')).toMatchObject({ parent: 'one' })
      expect((await snapshotter.stat('one')).parent).toBeUndefined()
    })
  })
}
