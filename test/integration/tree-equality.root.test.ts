import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { unmount } from '@nsbox/mount'
import {
  type BuiltImage,
  buildCorpus,
  type Containerd,
  type Corpus,
  compareTrees,
  pushImage,
  type Registry,
  type RunResult,
  readTree,
  runOrThrow,
  startContainerd,
  startRegistry,
  stockCtr,
  type TreeEntry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from './programs.ts'
import { exceptionsFor, type Peer, treeExceptions } from './tree-exceptions.ts'

type Tree = ReadonlyMap<string, TreeEntry>
type Name = keyof Corpus

const timeout = 480_000
const long = Boolean(process.env.NSBOX_TEST_LONG)

const programs = [
  'containerd',
  'ctr',
  'debootstrap',
  'docker-registry',
  'python3',
  'setcap',
  'skopeo',
  'umoci',
]

describeWith({ root: true, linux: true, programs }, 'the tree that we unpack', () => {
  const resources = new AsyncDisposableStack()
  const began = new Date()
  let directory: string
  let corpus: Corpus
  let registry: Registry
  let containerd: Containerd
  // What one has unpacked the other has not, so that each does it.
  let overlapped: TestServer
  let layered: TestServer
  const digests = new Map<string, string>()

  beforeAll(async () => {
    directory = resources.use(await tempDir('nsbox-trees')).path
    await mkdir(join(directory, 'corpus'))
    registry = resources.use(await startRegistry())
    containerd = resources.use(await startContainerd())
    // Nothing here is to outlive a power cut.
    const args = ['--durability', 'relaxed']
    overlapped = resources.use(await startServer({ args }))
    layered = resources.use(await startServer({ args }))
    corpus = await buildCorpus(join(directory, 'corpus'), { small: !long })
    for (const [name, image] of Object.entries(corpus))
      digests.set(name, (await pushImage(image as BuiltImage, registry, nameOf(name))).digest)
  }, 900_000)
  afterAll(() => resources.disposeAsync())

  const nameOf = (name: string) => `corpus/${name}:1`
  const reference = (name: Name) => `${registry.host}/${nameOf(name)}`

  const succeed = async (result: Promise<RunResult>) => {
    const { code, stdout, stderr } = await result
    expect({ code, output: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, output: '' })
  }

  /** What a daemon shows of an image that it has unpacked. */
  async function treeOf(address: string, name: Name, snapshotter = 'overlayfs'): Promise<Tree> {
    await using target = await tempDir('nsbox-tree')
    const args = ['images', 'mount', '--snapshotter', snapshotter, reference(name), target.path]
    await succeed(stockCtr(address, 'default', args))
    try {
      return await readTree(target.path)
    } finally {
      await unmount(target.path)
    }
  }

  /** Has stock `ctr` unpack what it has fetched before: it has each layer applied onto those below it. */
  async function unpackInOrder(address: string, name: Name): Promise<Tree> {
    for (const args of [
      ['content', 'fetch', '--plain-http', reference(name)],
      ['snapshots', 'unpack', digests.get(name)!],
    ])
      await succeed(stockCtr(address, 'default', args, { timeout }))
    return await treeOf(address, name)
  }

  /** Has a server pull an image, which unpacks each layer while it arrives, beside those below it. */
  async function pull({ dist, address }: TestServer, name: Name, snapshotter?: string): Promise<Tree> {
    const env = { CONTAINERD_SNAPSHOTTER: snapshotter }
    await succeed(dist(['pull', '--plain-http', reference(name)], { timeout, env }))
    return await treeOf(address, name, snapshotter)
  }

  async function umociTree(image: BuiltImage, name: Name): Promise<Tree> {
    const target = join(directory, `${name} of umoci`)
    const args = ['raw', 'unpack', '--image', `${image.layout}:${image.tag}`, target]
    await runOrThrow('umoci', args, { timeout })
    return await readTree(target)
  }

  /** The differences of two trees, as far as they are no known exceptions. */
  function differences(
    peer: Peer,
    trees: { ours: Tree; theirs: Tree },
    onUse: (reason: string) => void = () => {},
  ): string[] {
    return compareTrees(trees.ours, trees.theirs, { ignore: exceptionsFor(peer, { ...trees, began, onUse }) })
  }

  test.each([
    ['busybox', 250],
    ['debian', 4000],
    ['eight', long ? 30_000 : 3500],
    ['forty', 350],
  ] as const)(
    'of the image %s is what stock containerd and umoci unpack',
    { timeout },
    async (name, entries) => {
      const [stock, ours] = await Promise.all([
        unpackInOrder(containerd.address, name),
        pull(overlapped, name),
      ])
      expect(ours.size).toBeGreaterThan(entries)
      const used = new Set<string>()
      const onUse = (reason: string) => used.add(reason)
      expect(differences('containerd', { ours, theirs: stock }, onUse)).toEqual([])
      const [umoci, inOrder] = await Promise.all([
        umociTree(corpus[name], name),
        unpackInOrder(layered.address, name),
      ])
      expect(differences('umoci', { ours, theirs: umoci }, onUse)).toEqual([])
      // All but that of images without an entry of the root directory.
      if (name === 'eight') expect(used.size).toBe(treeExceptions(began).length - 1)
      expect(differences('nsbox', { ours, theirs: inOrder })).toEqual([])
    },
  )

  test.each(['busybox', 'forty'] as const)(
    'of the image %s is the same as copies',
    { timeout },
    async (name) => {
      const [ours, copied] = [await pull(overlapped, name), await pull(overlapped, name, 'native')]
      // A layer that is written onto the lower ones' files changes times of their directories, as containerd's does.
      expect(differences('containerd', { ours, theirs: copied })).toEqual([])
    },
  )
})
