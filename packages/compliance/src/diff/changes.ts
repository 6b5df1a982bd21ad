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
import { join } from 'node:path'
import type { ChangeFiles } from './trees.ts'

/** A time in the past. */
export const longAgo = new Date('2001-02-03T04:05:06Z')

/** Files of each kind, with times in the past. */
export const before: ChangeFiles = async (path) => {
  for (const name of ['a/b', 'full', 'empty']) await mkdir(join(path, name), { recursive: true })
  for (const name of ['a/one', 'a/b/two', 'full/1', 'full/2', 'plain', 'linked', 'gone'])
    await writeFile(join(path, name), name)
  await link(join(path, 'linked'), join(path, 'a/linked too'))
  await symlink('a/one', join(path, 'link'))
  for (const name of ['a/one', 'a/b/two', 'a/b', 'a', 'full', 'empty', 'plain', 'linked', '.'])
    await utimes(join(path, name), longAgo, longAgo)
}

/** A change of `before`. */
export interface ListedChange {
  readonly name: string
  readonly change: ChangeFiles
  /** The entries of the layer, besides the root. */
  readonly lists: readonly string[]
}

export const listedChanges: readonly ListedChange[] = [
  { name: 'nothing', change: async () => undefined, lists: [] },
  {
    name: 'a file that was opened for writing only',
    change: async (path) => {
      await appendFile(join(path, 'plain'), '')
      await utimes(join(path, 'plain'), longAgo, longAgo)
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
      await utimes(join(path, 'plain'), longAgo, longAgo)
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

/** More changes, whose entries in a layer are not checked. */
export const moreChanges: readonly Omit<ListedChange, 'lists'>[] = [
  {
    name: 'a directory that was emptied',
    change: async (path) => {
      for (const name of ['1', '2']) await rm(join(path, 'full', name))
    },
  },
  {
    name: 'a directory that was removed and made again',
    change: async (path) => {
      await rm(join(path, 'full'), { recursive: true })
      await mkdir(join(path, 'full'))
      await writeFile(join(path, 'full/1'), 'another')
      await writeFile(join(path, 'full/3'), 'third')
    },
  },
  { name: 'a changed file that has two names', change: (path) => appendFile(join(path, 'linked'), ' more') },
  {
    name: 'a file that lost one of its names',
    change: async (path) => {
      await rm(join(path, 'linked'))
      await chmod(join(path, 'a/linked too'), 0o600)
    },
  },
  {
    name: 'odd names',
    change: async (path) => {
      for (const name of ['n'.repeat(255), 'new\nline', 'ünï', '-', ' ', '\\', 'a:b,c'])
        await writeFile(join(path, name), name)
      const deep = join(path, ...Array(12).fill('d'.repeat(60)))
      await mkdir(deep, { recursive: true })
      await writeFile(join(deep, 'file'), 'deep')
    },
  },
  {
    name: 'what is far from small',
    change: async (path) => {
      await writeFile(join(path, 'big'), Buffer.alloc(3_000_001, await readFile(join(path, 'plain'))))
      await chown(join(path, 'big'), 3_000_000_000, 2_500_000)
    },
  },
]
