import { LayerWorkers } from '@nsbox/diff'
import { isNotFound, NsboxError } from '@nsbox/errors'
import { chainIds, digestOf, mediaTypes } from '@nsbox/oci'
import { compareTrees, type RawHeader, type TreeEntry } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, expect, test } from 'vitest'
import { createFlights } from '../flights/flights.ts'
import { type ImageInMemory, imageInMemory } from '../testing/image-in-memory.ts'
import { sequentialTree } from '../testing/sequential-tree.ts'
import { type UnpackStores, unpackStores } from '../testing/unpack-stores.ts'
import { unpackImage } from './unpack.ts'

const directory = (name: string, more: RawHeader = {}): RawHeader => {
  return { name, type: '5', mode: 0o755, mtime: 1000, ...more }
}
const file = (name: string, content: string, more: RawHeader = {}): RawHeader => {
  return { name, content, mtime: 2000, ...more }
}

/** Layers that depend on each other: removals, opaque directories, implied parents with attributes, hard links. */
const entangled = [
  { entries: [directory('etc', { mode: 0o2750, uid: 7, gid: 8 }), file('etc/a', '1'), file('etc/b', '2')] },
  { entries: [directory('var/lib', { uid: 9 }), file('etc/new', '3'), file('etc/.wh.a', '')] },
  { entries: [directory('var/lib'), file('var/lib/.wh..wh..opq', ''), file('var/lib/x', 'y')] },
  {
    entries: [
      file('etc/b', 'other'),
      { name: 'etc/link', type: '1', linkName: 'etc/b' },
      { name: 'etc/s', type: '2', linkName: '../var' },
    ],
  },
  { entries: [] },
  { entries: [file('top/x', ''), file('etc/.wh.none', ''), file('etc/last', 'z')] },
]

const top = ({ layers }: ImageInMemory) => chainIds(layers.map(({ diffId }) => diffId)).at(-1)!

describeWith({ root: true, linux: true, programs: ['python3'] }, 'unpack', () => {
  const workers = new LayerWorkers({ threads: 2 })
  afterAll(() => workers[Symbol.asyncDispose]())

  test.each(['with late parents', 'in order'])(
    'gives what one layer after the other gives, %s',
    async (way) => {
      await using stores = await unpackStores(workers)
      const image = imageInMemory(entangled)
      await stores.add(image)
      const into = way === 'in order' ? stores.inOrder : stores.into
      const { chainId, applied, manifest } = await unpackImage(image.target, {
        ...into,
        content: stores.content,
      })

      expect({ chainId, applied, manifest }).toMatchObject({
        chainId: top(image),
        applied: 6,
        manifest: { digest: image.target.digest },
      })
      expect(differences(await sequentialTree(image), await stores.tree(chainId!, into))).toEqual([])
      const found: string[] = []
      for await (const { name, kind } of into.snapshotter.list()) found.push(`${kind} ${name}`)
      const chain = chainIds(image.layers.map(({ diffId }) => diffId))
      expect(found).toEqual(chain.map((name) => `committed ${name}`).sort())
    },
  )

  test('labels what a collector must keep, and says what the layers are', async () => {
    await using stores = await unpackStores(workers)
    const annotations = {
      'containerd.io/snapshot/toc': 'x',
      'containerd.io/snapshot/uidmapping': '0:0:1',
      other: 'y',
    }
    const image = imageInMemory([{ entries: [file('a', 'b')], annotations }])
    await stores.add(image)
    await unpackImage(image.target, { ...stores.into, content: stores.content })
    const [layer] = image.layers
    expect((await stores.content.info(image.config.digest)).labels).toEqual({
      'containerd.io/gc.ref.snapshot.overlayfs': layer!.diffId,
    })
    expect((await stores.content.info(layer!.digest)).labels).toEqual({
      'containerd.io/uncompressed': layer!.diffId,
    })
    expect((await stores.snapshotter.stat(layer!.diffId)).labels).toEqual({
      'containerd.io/snapshot.ref': layer!.diffId,
      'containerd.io/snapshot/toc': 'x',
    })
  })

  test('applies nothing that is there, and only what is missing on top of it', async () => {
    await using stores = await unpackStores(workers)
    const base = [{ entries: [file('a', '1')] }, { entries: [file('b', '2')] }]
    const [below, above] = [imageInMemory(base), imageInMemory([...base, { entries: [file('.wh.a', '')] }])]
    await stores.add(below)
    for (const applied of [2, 0])
      expect(await unpackImage(below.target, { ...stores.into, content: stores.content })).toMatchObject({
        applied,
      })
    for (const [digest, bytes] of above.blobs) {
      if (below.blobs.has(digest)) continue
      await using writer = await stores.content.writer({ ref: digest })
      await writer.write(bytes)
      await writer.commit()
    }
    expect(await unpackImage(above.target, { ...stores.into, content: stores.content })).toMatchObject({
      applied: 1,
    })
    expect([...(await stores.tree(top(above))).keys()]).toEqual(['.', 'b'])
  })

  test('takes an image in which the same layer comes twice, and one without layers', async () => {
    await using stores = await unpackStores(workers)
    const [a, b] = [{ entries: [file('x', 'a')] }, { entries: [file('x', 'b')] }]
    const image = imageInMemory([a, b, a])
    await stores.add(image)
    const { chainId } = await unpackImage(image.target, { ...stores.into, content: stores.content })
    expect(differences(await sequentialTree(image), await stores.tree(chainId!))).toEqual([])
    const empty = imageInMemory([])
    await stores.add(empty)
    expect(await unpackImage(empty.target, { ...stores.into, content: stores.content })).toMatchObject({
      chainId: undefined,
      applied: 0,
    })
  })

  test('unpacks once what two ask for at once', async () => {
    await using stores = await unpackStores(workers)
    const image = imageInMemory(entangled)
    await stores.add(image)
    const flights = createFlights()
    const options = { ...stores.into, content: stores.content, flights }
    const both = await Promise.all([unpackImage(image.target, options), unpackImage(image.target, options)])
    expect(both.map(({ chainId }) => chainId)).toEqual([top(image), top(image)])
    expect(stores.applies).toHaveLength(6)
    expect(both[0].applied + both[1].applied).toBe(6)
  })

  test('takes success from whoever committed the same snapshot in the meantime', async () => {
    await using stores = await unpackStores(workers)
    const image = imageInMemory(entangled)
    await stores.add(image)
    // Separate tables, as in two processes on one daemon.
    const options = { ...stores.into, content: stores.content }
    await Promise.all([unpackImage(image.target, options), unpackImage(image.target, options)])
    const tree = await stores.tree(top(image))
    expect(differences(await sequentialTree(image), tree)).toEqual([])
    expect((await stores.snapshots()).filter((name) => !name.startsWith('committed'))).toEqual([])
  })

  test('commits forty layers, whichever is applied first', async () => {
    await using stores = await unpackStores(workers)
    // The lowest is the largest, so its extraction begins first and ends last; the others are the larger the higher.
    const image = imageInMemory(
      Array.from({ length: 40 }, (_, index) => ({
        entries: [
          file(`file-${index}`, 'x'.repeat(index === 0 ? 3_000_000 : index * 600)),
          file('last', `${index}`),
        ],
        mediaType: mediaTypes.ociLayer,
      })),
    )
    await stores.add(image)
    const { chainId } = await unpackImage(image.target, { ...stores.into, content: stores.content })
    const order = stores.applies.map(({ digest }) =>
      image.layers.findIndex((layer) => layer.digest === digest),
    )
    expect([...order].sort((one, other) => one - other)).toEqual(image.layers.map((_, index) => index))
    expect(order.slice(0, 2)).toContain(0)
    expect(order.indexOf(39)).toBeLessThan(order.indexOf(1))
    expect(differences(await sequentialTree(image), await stores.tree(chainId!))).toEqual([])
  })

  const good = { entries: [file('good', '1')] }
  test.each<[string, ImageInMemory, string]>([
    [
      'a diff id that is not the layer’s',
      imageInMemory([good, { entries: [file('a', 'b')], diffId: digestOf('other') }]),
      'failed_precondition',
    ],
    ['fewer diff ids than layers', imageInMemory([good], { diffIds: [] }), 'invalid_argument'],
    [
      'an encrypted layer',
      imageInMemory([good, { entries: [], mediaType: `${mediaTypes.ociLayer}+encrypted` }]),
      'unimplemented',
    ],
    [
      'a layer that ends too early',
      imageInMemory([good, { entries: Buffer.alloc(700, 'x'), mediaType: mediaTypes.ociLayer }]),
      'data_loss',
    ],
    [
      'A01 an entry outside of the tree',
      imageInMemory([good, { entries: [file('ok', '1'), file('../out', '2')] }]),
      'invalid_argument',
    ],
    [
      'a config that is none',
      imageInMemory([good], { configType: 'application/vnd.oci.empty.v1+json' }),
      'failed_precondition',
    ],
  ])('refuses %s without a trace in any committed name', async (_, image, code) => {
    await using stores = await unpackStores(workers)
    await stores.add(image)
    const failed = unpackImage(image.target, { ...stores.into, content: stores.content })
    await expect(failed).rejects.toMatchObject({ code })
    const names = await stores.snapshots()
    // The lowest layer is valid, and may have been committed before.
    expect(names.filter((name) => name !== `committed ${image.layers[0]!.diffId}`)).toEqual([])
    expect((await stores.content.info(image.config.digest)).labels).toEqual({})
  })

  test.each([{ ratio: 10, freeSize: 150_000 }, { size: 250_000 }])(
    'A16 bounds what all layers come to together, by %o',
    async (limits) => {
      await using stores = await unpackStores(workers)
      const image = imageInMemory(
        ['a', 'b', 'c'].map((name) => ({ entries: [file(name, 'x'.repeat(100_000))] })),
      )
      await stores.add(image)
      await expect(
        unpackImage(image.target, { ...stores.into, content: stores.content, limits }),
      ).rejects.toMatchObject({ code: 'resource_exhausted' })
      await expect(stores.snapshotter.stat(top(image))).rejects.toSatisfy(isNotFound)
    },
  )

  test('leaves nothing but committed snapshots when it is aborted', async () => {
    await using stores = await unpackStores(workers)
    const image = imageInMemory(entangled)
    await stores.add(image)
    const stop = new AbortController()
    const applier = {
      apply: async (...args: Parameters<UnpackStores['into']['applier']['apply']>) => {
        const applied = await stores.into.applier.apply(...args)
        if (args[0].digest === image.layers[2]!.digest) stop.abort(new NsboxError('canceled', 'by the test'))
        return applied
      },
    }
    const options = { ...stores.into, applier, content: stores.content, signal: stop.signal }
    await expect(unpackImage(image.target, options)).rejects.toMatchObject({ code: 'canceled' })
    expect((await stores.snapshots()).filter((name) => !name.startsWith('committed'))).toEqual([])
    await expect(stores.snapshotter.stat(top(image))).rejects.toSatisfy(isNotFound)
    const { chainId } = await unpackImage(image.target, { ...stores.into, content: stores.content })
    expect(differences(await sequentialTree(image), await stores.tree(chainId!))).toEqual([])
  })
})

/** Times of directories that no layer describes, or that a layer only implies, are undefined. */
function differences(a: ReadonlyMap<string, TreeEntry>, b: ReadonlyMap<string, TreeEntry>): string[] {
  const open = ['.', 'etc', 'top', 'var']
  return compareTrees(a, b, { ignore: (name, field) => field === 'mtime' && open.includes(name) })
}
