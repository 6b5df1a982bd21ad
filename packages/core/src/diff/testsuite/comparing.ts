import {
  appendFile,
  chmod,
  chown,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import type { DifferClaims } from './claims.ts'
import { type CreateDiffer, type DifferTest, differTest } from './differ-test.ts'
import { layerNames } from './layer-names.ts'
import { appliedToBase, type ChangeFiles, compareTrees, describeTree, makePair } from './trees.ts'

const then = new Date('2001-02-03T04:05:06Z')

/** Something of each kind, with times of the past. */
const before: ChangeFiles = async (path) => {
  for (const name of ['a/b', 'full', 'empty']) await mkdir(join(path, name), { recursive: true })
  for (const name of ['a/one', 'a/b/two', 'full/1', 'full/2', 'plain', 'linked', 'gone'])
    await writeFile(join(path, name), name)
  await link(join(path, 'linked'), join(path, 'a/linked too'))
  await symlink('a/one', join(path, 'link'))
  for (const name of ['a/one', 'a/b/two', 'a/b', 'a', 'full', 'empty', 'plain', 'linked', '.'])
    await utimes(join(path, name), then, then)
}

interface Case {
  readonly name: string
  readonly change: ChangeFiles
  /** What the layer lists, besides the root. */
  readonly lists: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'nothing', change: async () => undefined, lists: [] },
  {
    name: 'a file that was opened for writing only',
    change: async (path) => {
      await appendFile(join(path, 'plain'), '')
      await utimes(join(path, 'plain'), then, then)
    },
    lists: [],
  },
  {
    name: 'a directory that was changed and changed back',
    change: async (path) => {
      await chmod(join(path, 'a/b'), 0o700)
      await chmod(join(path, 'a/b'), 0o755)
    },
    lists: [],
  },
  {
    name: 'a new file, with the directories above it',
    change: (path) => writeFile(join(path, 'a/b/new'), 'new'),
    lists: ['a', 'a/b', 'a/b/new'],
  },
  {
    name: 'content of the same size and time',
    change: async (path) => {
      await writeFile(join(path, 'plain'), 'PLAIN')
      await utimes(join(path, 'plain'), then, then)
    },
    lists: ['plain'],
  },
  { name: 'a time', change: (path) => utimes(join(path, 'a/one'), 5, 5), lists: ['a', 'a/one'] },
  { name: 'a mode', change: (path) => chmod(join(path, 'a/one'), 0o4711), lists: ['a', 'a/one'] },
  { name: 'an owner', change: (path) => chown(join(path, 'a/b'), 12, 34), lists: ['a', 'a/b'] },
  {
    name: 'a new owner of a directory and of a file in it',
    change: async (path) => {
      await chown(join(path, 'a'), 1, 1)
      await chown(join(path, 'a/b/two'), 2, 2)
    },
    lists: ['a', 'a/b', 'a/b/two'],
  },
  { name: 'a removed file', change: (path) => rm(join(path, 'gone')), lists: ['.wh.gone'] },
  {
    name: 'a removed directory, but not what was in it',
    change: (path) => rm(join(path, 'a/b'), { recursive: true }),
    lists: ['a', 'a/.wh.b'],
  },
  {
    name: 'a file in place of a directory',
    change: async (path) => {
      await rm(join(path, 'a/b'), { recursive: true })
      await writeFile(join(path, 'a/b'), 'a file now')
    },
    lists: ['a', 'a/b'],
  },
  {
    name: 'a directory in place of a file, and of a link',
    change: async (path) => {
      for (const name of ['plain', 'link']) {
        await rm(join(path, name))
        await mkdir(join(path, name))
        await writeFile(join(path, name, 'inside'), name)
      }
    },
    lists: ['link', 'link/inside', 'plain', 'plain/inside'],
  },
  {
    name: 'a link with another target',
    change: async (path) => {
      await rm(join(path, 'link'))
      await symlink('elsewhere', join(path, 'link'))
    },
    lists: ['link'],
  },
  {
    name: 'all names of a file that got another one',
    change: (path) => link(join(path, 'plain'), join(path, 'plain too')),
    lists: ['plain', 'plain too'],
  },
  {
    name: 'a renamed file',
    change: (path) => rename(join(path, 'gone'), join(path, 'came')),
    lists: ['.wh.gone', 'came'],
  },
]

export function comparingTests(create: CreateDiffer, claims: DifferClaims): void {
  describe('a layer lists', () => {
    const test = differTest(create)
    for (const { name, change, lists } of cases)
      test(name, async (subject) => {
        const layer = await compareTrees(subject, before, change)
        const names = (await layerNames(subject.content, layer)).filter((each) => each !== '')
        expect(names.sort()).toEqual([...lists].sort())
      })
  })

  describe('a layer brings one tree to the other', () => {
    roundTrips(differTest(create), claims)
  })

  describe('the root directory', () => {
    const test = differTest(create, claims.rootAttributes)
    test('is listed with its attributes', async (subject) => {
      const layer = await compareTrees(subject, before, (path) => chown(path, 7, 8))
      expect(await layerNames(subject.content, layer)).toEqual([''])
      const trees = [await subject.snapshotter.mounts('upper'), await appliedToBase(subject, layer)]
      const [wanted, made] = await Promise.all(trees.map((each) => describeTree(subject, each, claims)))
      expect(made).toEqual(wanted)
    })
  })

  describe('a layer', () => {
    const test = differTest(create, claims.sameBytes)
    test('is the same whenever it is made', async (subject) => {
      const { lower, upper } = await makePair(subject, before, async (path) => {
        await rm(join(path, 'gone'))
        await writeFile(join(path, 'new'), 'new')
      })
      const one = await subject.comparer.compare(lower, upper)
      await new Promise((resolve) => setTimeout(resolve, 1100))
      expect(await subject.comparer.compare(lower, upper)).toEqual(one)
    })

    differTest(create)('has no time later than it was told', async (subject) => {
      const change: ChangeFiles = async (path) => {
        await writeFile(join(path, 'new'), 'new')
        await writeFile(join(path, 'old'), 'old')
        await utimes(join(path, 'old'), 1000, 1000)
      }
      const layer = await compareTrees(subject, before, change, { sourceDateEpoch: then })
      const tree = await describeTree(subject, await appliedToBase(subject, layer), {
        ...claims,
        fractions: false,
      })
      expect(tree.new).toBe(`644 0 0 ${then.getTime() / 1000} new file new`)
      expect(tree.old).toBe('644 0 0 1000 old file old')
    })

    differTest(create)('leaves sockets out', async (subject) => {
      const layer = await compareTrees(subject, before, async (path) => {
        const server = createServer().listen(join(path, 'socket'))
        await new Promise((resolve) => server.once('listening', resolve))
        // Closing it would remove the socket, which is to be found.
        await rename(join(path, 'socket'), join(path, 'kept'))
        await new Promise((resolve) => server.close(resolve))
        await writeFile(join(path, 'file'), '')
      })
      expect((await layerNames(subject.content, layer)).filter((name) => name !== '')).toEqual(['file'])
    })

    differTest(create, claims.refusesNames)(
      'A11 is refused for a name that means a removal there',
      async (subject) => {
        const made = compareTrees(subject, before, (path) => writeFile(join(path, 'a/.wh.one'), ''))
        await expect(made).rejects.toMatchObject({ code: 'failed_precondition' })
      },
    )
  })
}

function roundTrips(test: DifferTest, claims: DifferClaims): void {
  const more: readonly (readonly [string, ChangeFiles])[] = [
    ...cases.map(({ name, change }) => [name, change] as const),
    [
      'a directory that was emptied',
      async (path) => {
        for (const name of ['1', '2']) await rm(join(path, 'full', name))
      },
    ],
    [
      'a directory that was removed and made again',
      async (path) => {
        await rm(join(path, 'full'), { recursive: true })
        await mkdir(join(path, 'full'))
        await writeFile(join(path, 'full/1'), 'another')
        await writeFile(join(path, 'full/3'), 'third')
      },
    ],
    ['a changed file that has two names', (path) => appendFile(join(path, 'linked'), ' more')],
    [
      'a file that lost one of its names',
      async (path) => {
        await rm(join(path, 'linked'))
        await chmod(join(path, 'a/linked too'), 0o600)
      },
    ],
    [
      'odd names',
      async (path) => {
        for (const name of ['n'.repeat(255), 'new\nline', 'ünï', '-', ' ', '\\', 'a:b,c'])
          await writeFile(join(path, name), name)
        const deep = join(path, ...Array(12).fill('d'.repeat(60)))
        await mkdir(deep, { recursive: true })
        await writeFile(join(deep, 'file'), 'deep')
      },
    ],
    [
      'what is far from small',
      async (path) => {
        await writeFile(join(path, 'big'), Buffer.alloc(3_000_001, await readFile(join(path, 'plain'))))
        await chown(join(path, 'big'), 3_000_000_000, 2_500_000)
      },
    ],
  ]
  for (const [name, change] of more)
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
