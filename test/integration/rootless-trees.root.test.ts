import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  buildCorpus,
  buildOddImage,
  compareTrees,
  pushImage,
  readTree,
  run,
  startRegistry,
  type TreeEntry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ordinaryUser, testUser } from './ordinary-user.ts'
import { program } from './programs.ts'
import { asRecorded, withoutRoot } from './recorded-tree.ts'
import { exceptionsFor } from './tree-exceptions.ts'

type Tree = ReadonlyMap<string, TreeEntry>
type Command = 'ctr' | 'dist'

/** With the whole corpus, and not only an image that has a little of everything. */
const long = Boolean(process.env.NSBOX_TEST_LONG)
const timeout = 480_000

const needed = {
  root: true,
  linux: true,
  users: [testUser],
  programs: [
    'docker-registry',
    'newuidmap',
    'python3',
    'setcap',
    'setpriv',
    'skopeo',
    'unshare',
    ...(long ? ['debootstrap'] : []),
  ],
} as const

describeWith(needed, 'the trees of images that an ordinary user unpacks', () => {
  const resources = new AsyncDisposableStack()
  const began = new Date()
  /** By the names of images. */
  const references = new Map<string, string>()
  const ofRoot = new Map<string, Tree>()

  beforeAll(async () => {
    const { path: directory } = resources.use(await tempDir('nsbox-trees'))
    const registry = resources.use(await startRegistry())
    const images = long ? await buildCorpus(directory) : { odd: await buildOddImage(directory) }
    for (const [name, image] of Object.entries(images))
      references.set(name, (await pushImage(image, registry, `tree/${name}:1`)).reference)
    const asRoot = (command: string, args: readonly string[]) =>
      run(program(command as Command), args, { timeout })
    for (const name of references.keys())
      ofRoot.set(name, await treeOf(asRoot, join(directory, 'root'), name))
  }, 1_800_000)
  afterAll(() => resources.disposeAsync())

  /** Pulls an image and reads its tree, all of which the native snapshotter has in one directory. */
  async function treeOf(command: typeof run, root: string, name: string): Promise<Tree> {
    const flags = ['--root', root, '--snapshotter', 'native']
    const pulled = await command('dist', [...flags, 'pull', '--plain-http', references.get(name)!], {
      timeout,
    })
    expect(pulled).toMatchObject({ code: 0, stdout: expect.stringMatching(/^unpacked /m) })
    const [, chainId] = /^unpacked \S+ (\S+)$/m.exec(pulled.stdout)!
    const viewed = await command('ctr', [...flags, 'snapshots', 'view', '--mounts', name, chainId!])
    const [{ Source: source }] = JSON.parse(viewed.stdout)
    return readTree(source)
  }

  it.each([
    ['with', testUser],
    ['without', 'nobody'],
  ])(
    '%s subordinate ids are those of root, as their attributes tell them',
    { timeout: 1_800_000 },
    async (kind, account) => {
      await using user = await ordinaryUser(account)
      const first = { uid: firstSubordinate('uid'), gid: firstSubordinate('gid') }
      const idOf = (kind: 'uid' | 'gid', id: number) => (id === user[kind] ? 0 : id - first[kind] + 1)
      for (const [name, tree] of ofRoot) {
        const expected = withoutRoot(tree)
        const found = asRecorded(await treeOf(user.run, join(user.home, 'store'), name), idOf)
        const timed = exceptionsFor('nsbox', { ours: expected, theirs: found, began, onUse: () => {} })
        // Only files and directories can have the attribute.
        const isUnrecorded = (name: string, field: keyof TreeEntry) =>
          kind === 'without' &&
          ['uid', 'gid'].includes(field) &&
          ['symlink', 'fifo'].includes(expected.get(name)!.type)
        const ignore = (name: string, field: keyof TreeEntry) =>
          timed(name, field) || isUnrecorded(name, field)
        expect(expected.size).toBeGreaterThan(250)
        expect([name, compareTrees(found, expected, { ignore })]).toEqual([name, []])
      }
    },
  )
})

/** The first subordinate id of the user. */
function firstSubordinate(kind: 'uid' | 'gid'): number {
  const ranges = readFileSync(`/etc/sub${kind}`, 'utf8')
  return Number(new RegExp(`^${testUser}:(\\d+):65536$`, 'm').exec(ranges)![1])
}
