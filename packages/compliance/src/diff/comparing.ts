import { chown, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { type SubjectTest, subjectTest } from '../subject-test.ts'
import { before, listedChanges, longAgo, moreChanges } from './changes.ts'
import type { DifferClaims } from './claims.ts'
import { layerNames } from './layer-names.ts'
import type { CreateDiffer, DifferSubject } from './subject.ts'
import { appliedToBase, type ChangeFiles, compareTrees, describeTree, makePair } from './trees.ts'

export function comparingTests(create: CreateDiffer, claims: DifferClaims): void {
  describe('a layer lists', () => {
    const test = subjectTest(create)
    for (const { name, change, lists } of listedChanges)
      test(name, async (subject) => {
        const layer = await compareTrees(subject, before, change)
        const names = (await layerNames(subject.content, layer)).filter((each) => each !== '')
        expect(names.sort()).toEqual([...lists].sort())
      })
  })

  describe('a layer brings one tree to the other', () => {
    roundTrips(subjectTest(create), claims)
  })

  describe('the root directory', () => {
    const test = subjectTest(create, claims.rootAttributes)
    test('is listed with its attributes', async (subject) => {
      const layer = await compareTrees(subject, before, (path) => chown(path, 7, 8))
      expect(await layerNames(subject.content, layer)).toEqual([''])
      const trees = [await subject.snapshotter.mounts('upper'), await appliedToBase(subject, layer)]
      const [wanted, made] = await Promise.all(trees.map((each) => describeTree(subject, each, claims)))
      expect(made).toEqual(wanted)
    })
  })

  describe('a layer', () => {
    const test = subjectTest(create, claims.sameBytes)
    test('is the same whenever it is made', async (subject) => {
      const { lower, upper } = await makePair(subject, before, async (path) => {
        await rm(join(path, 'gone'))
        await writeFile(join(path, 'new'), 'new')
      })
      const one = await subject.comparer.compare(lower, upper)
      await new Promise((resolve) => setTimeout(resolve, 1100))
      expect(await subject.comparer.compare(lower, upper)).toEqual(one)
    })

    subjectTest(create)('has no time later than it was told', async (subject) => {
      const change: ChangeFiles = async (path) => {
        await writeFile(join(path, 'new'), 'new')
        await writeFile(join(path, 'old'), 'old')
        await utimes(join(path, 'old'), 1000, 1000)
      }
      const layer = await compareTrees(subject, before, change, { sourceDateEpoch: longAgo })
      const tree = await describeTree(subject, await appliedToBase(subject, layer), {
        ...claims,
        fractions: false,
      })
      expect(tree.new).toBe(`644 0 0 ${longAgo.getTime() / 1000} new file new`)
      expect(tree.old).toBe('644 0 0 1000 old file old')
    })

    subjectTest(create)('leaves sockets out', async (subject) => {
      const layer = await compareTrees(subject, before, async (path) => {
        const server = createServer().listen(join(path, 'socket'))
        await new Promise((resolve) => server.once('listening', resolve))
        // Closing the server would remove the socket.
        await rename(join(path, 'socket'), join(path, 'kept'))
        await new Promise((resolve) => server.close(resolve))
        await writeFile(join(path, 'file'), '')
      })
      expect((await layerNames(subject.content, layer)).filter((name) => name !== '')).toEqual(['file'])
    })

    subjectTest(create, claims.refusesNames)(
      'A11 is refused for a name that means a removal there',
      async (subject) => {
        const made = compareTrees(subject, before, (path) => writeFile(join(path, 'a/.wh.one'), ''))
        await expect(made).rejects.toMatchObject({ code: 'failed_precondition' })
      },
    )
  })
}

function roundTrips(test: SubjectTest<DifferSubject>, claims: DifferClaims): void {
  for (const { name, change } of [...listedChanges, ...moreChanges])
    test(name, async (subject) => {
      const layer = await compareTrees(subject, before, change)
      const wanted = await describeTree(subject, await subject.snapshotter.mounts('upper'), claims)
      expect(await describeTree(subject, await appliedToBase(subject, layer), claims)).toEqual(wanted)
    })

  test('from nothing at all', async (subject) => {
    const { lower } = await makePair(subject, before, async () => undefined)
    const layer = await subject.comparer.compare([], lower)
    const mounts = await subject.snapshotter.prepare('copy', undefined)
    await subject.applier.apply(layer, mounts)
    const wanted = await describeTree(subject, lower, claims)
    expect(await describeTree(subject, mounts, claims)).toEqual(wanted)
  })

  test('between trees that have nothing in common', async (subject) => {
    const { snapshotter, withMounts, comparer } = subject
    const { lower } = await makePair(subject, before, async () => undefined)
    const other = await snapshotter.prepare('other', undefined)
    await withMounts(other, async (path) => {
      await mkdir(join(path, 'plain'))
      await writeFile(join(path, 'a'), 'a file')
      await writeFile(join(path, 'full'), 'a file')
    })
    const layer = await comparer.compare(lower, other)
    const wanted = await describeTree(subject, other, claims)
    expect(await describeTree(subject, await appliedToBase(subject, layer), claims)).toEqual(wanted)
  })
}
