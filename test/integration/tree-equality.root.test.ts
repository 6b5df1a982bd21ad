import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { unmount } from '@nsbox/mount'
import { openNativeSnapshotter, openOverlaySnapshotter } from '@nsbox/snapshots'
import {
  type BuiltImage,
  buildCorpus,
  type Containerd,
  type Corpus,
  compareTrees,
  pushImage,
  type Registry,
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
import { type LocalUnpack, localUnpack } from './local-unpack.ts'
import { exceptionsFor, treeExceptions } from './tree-exceptions.ts'

type Tree = ReadonlyMap<string, TreeEntry>

/** Nothing here is to outlive a power cut. */
const durability = 'relaxed'

const timeout = 240_000

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
  let ours: LocalUnpack

  beforeAll(async () => {
    directory = resources.use(await tempDir('nsbox-trees')).path
    await mkdir(join(directory, 'corpus'))
    const built = buildCorpus(join(directory, 'corpus'))
    registry = resources.use(await startRegistry())
    containerd = resources.use(await startContainerd())
    ours = resources.use(await localUnpack(join(directory, 'content')))
    corpus = await built
  }, 900_000)
  afterAll(() => resources.disposeAsync())

  /** What stock containerd shows of an image that it has pulled and unpacked. */
  async function stockTree(image: BuiltImage, name: string): Promise<Tree> {
    const { reference } = await pushImage(image, registry, `corpus/${name}:1`)
    const ctr = async (...args: string[]) => {
      const { code, stderr } = await stockCtr(containerd.address, 'default', args, { timeout: 120_000 })
      expect({ args, code, stderr }).toMatchObject({ code: 0 })
    }
    await ctr('images', 'pull', '--plain-http', reference)
    const target = join(directory, `${name} of containerd`)
    await mkdir(target)
    await ctr('images', 'mount', reference, target)
    try {
      return await readTree(target)
    } finally {
      await unmount(target)
    }
  }

  async function umociTree(image: BuiltImage, name: string): Promise<Tree> {
    const target = join(directory, `${name} of umoci`)
    await runOrThrow('umoci', ['raw', 'unpack', '--image', `${image.layout}:${image.tag}`, target], {
      timeout: 120_000,
    })
    return await readTree(target)
  }

  /** Unpacks each layer beside those below it. */
  async function overlayTree(image: BuiltImage, name: string): Promise<Tree> {
    await using snapshotter = await openOverlaySnapshotter({
      root: join(directory, `${name} overlay`),
      durability,
    })
    return await ours.withImage(image, snapshotter, readTree)
  }

  /** Unpacks each layer onto a copy of those below it. */
  async function nativeTree(image: BuiltImage, name: string): Promise<Tree> {
    await using snapshotter = await openNativeSnapshotter({
      root: join(directory, `${name} native`),
      durability,
    })
    return await ours.withImage(image, snapshotter, readTree)
  }

  /** The differences of two trees, as far as they are no known exceptions. */
  function differences(
    peer: 'containerd' | 'umoci',
    trees: { ours: Tree; theirs: Tree },
    onUse: (reason: string) => void = () => {},
  ): string[] {
    return compareTrees(trees.ours, trees.theirs, { ignore: exceptionsFor(peer, { ...trees, began, onUse }) })
  }

  test.each([
    ['busybox', 250],
    ['debian', 4000],
    ['eight', 30_000],
    ['forty', 350],
  ] as const)(
    'of the image %s is what stock containerd and umoci unpack',
    { timeout },
    async (name, entries) => {
      const image = corpus[name]
      const [stock, tree] = await Promise.all([stockTree(image, name), overlayTree(image, name)])
      expect(tree.size).toBeGreaterThan(entries)
      const used = new Set<string>()
      const onUse = (reason: string) => used.add(reason)
      expect(differences('containerd', { ours: tree, theirs: stock }, onUse)).toEqual([])
      expect(differences('umoci', { ours: tree, theirs: await umociTree(image, name) }, onUse)).toEqual([])
      // All but that of images without an entry of the root directory.
      if (name === 'eight') expect(used.size).toBe(treeExceptions(began).length - 1)
    },
  )

  test.each(['busybox', 'forty'] as const)(
    'of the image %s is the same as copies',
    { timeout },
    async (name) => {
      const image = corpus[name]
      const [tree, copied] = [await overlayTree(image, `${name} again`), await nativeTree(image, name)]
      // A layer that is written onto the lower ones' files changes times of their directories, as containerd's does.
      expect(differences('containerd', { ours: tree, theirs: copied })).toEqual([])
    },
  )
})
