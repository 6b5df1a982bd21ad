import { lchownSync, mkdirSync, rmSync } from 'node:fs'
import { chmod, lstat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { mount, overlayMount } from '@nsbox/mount'
import { compareTrees, readTree, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyBytes, layerBytes } from '../testing/layer-bytes.ts'
import { changeTree, type TreeChange, treeChange, treeMaking } from '../testing/tree-change.ts'
import { isMergedOnly } from './tree-error.ts'

interface Pair {
  /** Changes that make the first tree. */
  readonly before: readonly TreeChange[]
  /** Changes that make the other tree from it. */
  readonly change: readonly TreeChange[]
}

const pairs: fc.Arbitrary<Pair> = fc.record({
  before: fc.array(treeMaking, { minLength: 4, maxLength: 24 }),
  change: fc.array(treeChange, { maxLength: 12 }),
})

/** Makes two directories whose trees must be equal, and returns other errors. */
type RoundTrip = (
  pair: Pair,
  directories: { made: string; wanted: string; scratch: string },
) => Promise<string[]>

/**
 * Checks many pairs and compares the trees of all at once, since reading one takes longer than a round trip. The first
 * failing pair is then shrunk for a while, and shown.
 */
async function holds(roundTrip: RoundTrip, { runs, seed }: { runs: number; seed: number }): Promise<void> {
  const check = async (values: readonly Pair[]): Promise<string[]> => {
    await using scratch = await scratchMount()
    const at = (kind: string) => join(scratch.path, kind)
    for (const kind of ['made', 'wanted', 'scratch']) mkdirSync(at(kind))
    const problems: string[] = []
    for (const [index, pair] of values.entries()) {
      const directories = {
        made: join(at('made'), String(index)),
        wanted: join(at('wanted'), String(index)),
        scratch: join(at('scratch'), String(index)),
      }
      for (const directory of Object.values(directories)) mkdirSync(directory)
      for (const problem of await roundTrip(pair, directories)) problems.push(`${index}/: ${problem}`)
      for (const kind of ['made', 'wanted']) rmSync(join(at(kind), `${index}.layer`), { force: true })
    }
    const trees = [await readTree(at('made')), await readTree(at('wanted'))] as const
    return [...problems, ...compareTrees(...trees, { ignore: (name) => name === '.' })]
  }
  const problems = await check(fc.sample(pairs, { numRuns: runs, seed }))
  if (problems.length === 0) return
  const deadline = Date.now() + 30_000
  const property = fc.asyncProperty(pairs, async (pair) => {
    // After the deadline, untested pairs count as good.
    if (Date.now() < deadline) expect(await check([pair])).toEqual([])
  })
  const path = /^[0-9]+/.exec(problems[0]!)![0]
  await fc.assert(property, { seed, path })
  expect(problems).toEqual([])
}

function apply(root: string, changes: readonly TreeChange[]): void {
  for (const change of changes) changeTree(root, change)
}

/** Gives a new directory the owner, mode and times of another, as a snapshotter does with a snapshot's root. */
async function likeRoot(directory: string, other: string): Promise<void> {
  const { uid, gid, mode, atime, mtime } = await lstat(other)
  lchownSync(directory, uid, gid)
  await chmod(directory, mode & 0o7777)
  await utimes(directory, atime, mtime)
}

describeWith({ linux: true, root: true, programs: ['python3'] }, 'layers bring any tree to any other', () => {
  test('300 pairs of whole trees', { timeout: 120_000 }, async () => {
    const roundTrip: RoundTrip = async ({ before, change }, { made, wanted, scratch }) => {
      mkdirSync(join(scratch, 'lower'))
      const lower = join(scratch, 'lower')
      apply(lower, before)
      const base = await layerBytes({ upper: lower, form: 'plain' })
      await applyBytes(base, made)
      await applyBytes(base, wanted)
      const none = await layerBytes({ lower, upper: wanted, form: 'plain' })
      apply(wanted, change)
      const layer = await layerBytes({ lower, upper: wanted, form: 'plain' })
      const { implied } = await applyBytes(layer, made)
      return [
        ...(none.length === 1024 ? [] : ['a layer between equal trees is not empty']),
        ...implied.map((name) => `${name} is not listed`),
      ]
    }
    await holds(roundTrip, { runs: 300, seed: 7 })
  })

  test('300 pairs of an overlay and what was changed in it', { timeout: 120_000 }, async () => {
    const roundTrip: RoundTrip = async ({ before, change }, { made, wanted, scratch }) => {
      const at = (name: string) => join(scratch, name)
      for (const name of ['lower', 'upper', 'work', 'upper2', 'work2', 'copy']) mkdirSync(at(name))
      const lower = at('lower')
      apply(lower, before)
      const overlay = (upper: string, work: string) =>
        overlayMount({ lower: [lower], upper: at(upper), work: at(work) }, ['index=off'])
      await likeRoot(at('upper'), lower)
      await mount(overlay('upper', 'work'), wanted)
      apply(wanted, change)
      const whole = await layerBytes({ lower, upper: wanted, form: 'plain' })
      const layer = await layerBytes({ lower, upper: at('upper'), form: 'overlay' }).catch(
        (error: unknown) => {
          if (isMergedOnly(error)) return whole
          throw error
        },
      )
      // Applied to an overlay, and to the lower tree itself.
      await likeRoot(at('upper2'), lower)
      const { implied } = await applyBytes(layer, at('upper2'), 'overlay')
      await mount(overlay('upper2', 'work2'), made)
      await applyBytes(await layerBytes({ upper: lower, form: 'plain' }), at('copy'))
      await applyBytes(layer, at('copy'))
      const rest = await layerBytes({ lower: at('copy'), upper: wanted, form: 'plain' })
      return [
        ...(layer.equals(whole) ? [] : ['the upper directory gives another layer than the whole tree']),
        ...(rest.length === 1024 ? [] : ['applied to a plain directory, it gives another tree']),
        ...implied.map((name) => `${name} is not listed`),
      ]
    }
    await holds(roundTrip, { runs: 300, seed: 11 })
  })
})
