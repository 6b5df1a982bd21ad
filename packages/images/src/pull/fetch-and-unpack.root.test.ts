import { stat } from 'node:fs/promises'
import { deferred, Semaphore } from '@nsbox/concurrency'
import type { Applier } from '@nsbox/core/diff'
import type { TransferProgress } from '@nsbox/core/transfer'
import { LayerWorkers } from '@nsbox/diff'
import { compareTrees } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, expect, test, vi } from 'vitest'
import { createFlights } from '../flights/flights.ts'
import { type Delivery, imageInMemory, remoteOf } from '../testing/image-in-memory.ts'
import { sequentialTree } from '../testing/sequential-tree.ts'
import { described, file, random, sized, top } from '../testing/sized-image.ts'
import { unpackStores } from '../testing/unpack-stores.ts'
import { fetchImage } from './pull.ts'

describeWith({ root: true, linux: true, programs: ['python3'] }, 'a fetch that unpacks', () => {
  const workers = new LayerWorkers({ threads: 2 })
  afterAll(() => workers[Symbol.asyncDispose]())

  test('gives the tree and the blobs', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(300, 20, 700, 1)
    const { content, into } = stores
    const fetched = await fetchImage({ remote: remoteOf(image), content, unpack: [into] })
    expect(fetched.unpacked).toMatchObject([{ chainId: top(image), applied: 4 }])
    expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
    for (const digest of image.blobs.keys()) await content.info(digest)
    expect(await content.statuses()).toEqual([])
  })

  test('extracts a layer while it is downloaded', { timeout: 120_000 }, async () => {
    await using stores = await unpackStores(workers)
    const image = sized(600)
    const [layer] = image.layers
    /** How much of the first file is in the snapshot. */
    const extracted = async () => {
      for await (const { name } of stores.snapshotter.list(['kind==active'])) {
        const { path } = await stores.snapshotter.layerDirectory(name)
        return await sizeOf(`${path}/f0`)
      }
      return 0
    }
    const half: Delivery = async function* (blob, { digest }, offset) {
      if (digest !== layer!.digest) return yield blob.subarray(offset)
      const middle = blob.length >> 1
      yield blob.subarray(offset, middle)
      await expect.poll(extracted, { timeout: 60_000 }).toBeGreaterThan(0)
      yield blob.subarray(middle)
    }
    // On a stopped clock no layer is slow, and none is left for that reason.
    using _clock = vi.spyOn(performance, 'now').mockReturnValue(0)
    await fetchImage({ remote: remoteOf(image, half), content: stores.content, unpack: [stores.into] })
    expect(stores.applies).toEqual([{ digest: layer!.digest, arriving: true }])
    expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
  })

  test('lets a layer that stands still keep one thread at most', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(200, 400, 300)
    const [lowest, largest, other] = image.layers
    const done = deferred()
    const options = { content: stores.content, unpack: [stores.into], followers: new Semaphore(1) }
    const stalls: Delivery = async function* (blob, { digest }, offset) {
      if (digest === lowest!.digest) {
        await expect.poll(() => stores.applies.length).toBeGreaterThan(0)
      } else if (digest === largest!.digest) {
        yield blob.subarray(offset, 1000)
        await done.promise
        offset = 1000
      }
      yield blob.subarray(offset)
    }
    const fetching = fetchImage({ remote: remoteOf(image, stalls), ...options })
    await expect
      .poll(async () => (await stores.snapshots()).filter((name) => name.startsWith('committed')))
      .toHaveLength(1)
    expect(stores.applies).toContainEqual({ digest: largest!.digest, arriving: true })
    for (const { digest } of [lowest!, other!])
      expect(stores.applies).toContainEqual({ digest, arriving: false })
    done.resolve()
    await fetching
    expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
  })

  test('E03 lets go of a layer that drips, and reads it when it has come', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(400)
    const [layer] = image.layers
    const followers = new Semaphore(1)
    const drips: Delivery = async function* (blob, { digest }, offset) {
      let at = offset
      if (digest === layer!.digest) {
        yield blob.subarray(at, at + 200_000)
        at += 200_000
        await expect.poll(() => stores.applies).toHaveLength(1)
        expect(followers.tryAcquire()).toBeUndefined()
        for (let free: Disposable | undefined; free === undefined; free?.[Symbol.dispose]()) {
          await new Promise((resolve) => setTimeout(resolve, 50))
          yield blob.subarray(at, at + 100)
          at += 100
          free = followers.tryAcquire()
        }
      }
      yield blob.subarray(at)
    }
    const options = { content: stores.content, unpack: [stores.into], followers }
    await fetchImage({ remote: remoteOf(image, drips), ...options })
    expect(stores.applies.map(({ arriving }) => arriving)).toEqual([true, false])
    expect((await stores.snapshots()).every((name) => name.startsWith('committed'))).toBe(true)
    expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
  })

  test('needs no layer below another for it to be extracted, and commits them in order', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(1, 50, 100)
    const applied = new Set<string>()
    const others = deferred()
    const applier: Applier = {
      apply: async (layer, ...rest) => {
        const result = await stores.into.applier.apply(layer, ...rest)
        applied.add(layer.digest)
        if (applied.size === 2) others.resolve()
        return result
      },
    }
    const lowestLast: Delivery = async function* (blob, { digest }, offset) {
      if (digest === image.layers[0]!.digest) await others.promise
      yield blob.subarray(offset)
    }
    await fetchImage({
      remote: remoteOf(image, lowestLast),
      content: stores.content,
      unpack: [{ ...stores.into, applier }],
    })
    expect([...applied].at(-1)).toBe(image.layers[0]!.digest)
    expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
  })

  test('unpacks in order where the snapshotter has no layer directories', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(10, 500, 1)
    await fetchImage({ remote: remoteOf(image), content: stores.content, unpack: [stores.inOrder] })
    expect(stores.applies.map(({ digest }) => digest)).toEqual(image.layers.map(({ digest }) => digest))
    expect(compareTrees(await sequentialTree(image), await stores.tree(top(image), stores.inOrder))).toEqual(
      [],
    )
  })

  test('unpacks into two snapshotters at once, from one download', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(30, 100)
    const fetched: string[] = []
    const once: Delivery = (blob, { digest }, offset) => {
      fetched.push(digest)
      return [blob.subarray(offset)]
    }
    const unpack = [stores.into, stores.inOrder]
    const { unpacked } = await fetchImage({ remote: remoteOf(image, once), content: stores.content, unpack })
    expect(unpacked.map((each) => each?.chainId)).toEqual([top(image), top(image)])
    expect(fetched).toHaveLength(new Set(fetched).size)
    const tree = await sequentialTree(image)
    for (const wish of unpack) expect(compareTrees(tree, await stores.tree(top(image), wish))).toEqual([])
    expect((await stores.content.info(image.config.digest)).labels).toMatchObject({
      'containerd.io/gc.ref.snapshot.native': top(image),
      'containerd.io/gc.ref.snapshot.overlayfs': top(image),
    })
  })

  test('applies from the store what is there already', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(5, 50)
    await stores.add(image)
    const { bytesReceived } = await fetchImage({
      remote: remoteOf(image),
      content: stores.content,
      unpack: [stores.into],
    })
    expect(bytesReceived).toBe(0)
    expect(stores.applies.map(({ arriving }) => arriving)).toEqual([false, false])
    expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
  })

  test('unpacks nothing twice, and fetches blobs whose snapshots are there', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(5, 50)
    const options = { remote: remoteOf(image), content: stores.content, unpack: [stores.into] }
    await fetchImage(options)
    for (const { digest } of image.layers) await stores.content.delete(digest)
    const { unpacked } = await fetchImage(options)
    expect(unpacked).toMatchObject([{ chainId: top(image), applied: 0 }])
    for (const { digest } of image.layers) await stores.content.info(digest)
    expect(stores.applies).toHaveLength(2)
  })

  test('unpacks once for two that fetch at once', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(5, 50, 500)
    const options = {
      remote: remoteOf(image),
      content: stores.content,
      unpack: [stores.into],
      flights: createFlights(),
    }
    await Promise.all([fetchImage(options), fetchImage(options)])
    expect(stores.applies).toHaveLength(3)
    expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
  })

  test('takes a layer that comes twice', async () => {
    await using stores = await unpackStores(workers)
    const [a, b] = [
      { entries: [...described, file('x', random('a', 100_000))] },
      { entries: [...described, file('x', 'b')] },
    ]
    const image = imageInMemory([a, b, a])
    await fetchImage({ remote: remoteOf(image), content: stores.content, unpack: [stores.into] })
    expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
  })

  test('only fetches an artifact, and says so', async () => {
    await using stores = await unpackStores(workers)
    const image = imageInMemory([{ entries: [], mediaType: 'application/x-chart' }], {
      configType: 'application/x-chart.config',
    })
    const told: TransferProgress[] = []
    const onProgress = (progress: TransferProgress) => told.push(progress)
    const { unpacked } = await fetchImage({
      remote: remoteOf(image),
      content: stores.content,
      unpack: [stores.into],
      onProgress,
    })
    expect(unpacked).toEqual([undefined])
    expect(told.map(({ event }) => event)).toContain(
      'Nothing to unpack: config of media type application/x-chart.config',
    )
    await stores.content.info(image.layers[0]!.digest)
  })

  test('tells that a layer is extracted, after its download', async () => {
    await using stores = await unpackStores(workers)
    const image = sized(5)
    const told: TransferProgress[] = []
    const onProgress = (progress: TransferProgress) => told.push(progress)
    await fetchImage({ remote: remoteOf(image), content: stores.content, unpack: [stores.into], onProgress })
    const name = `layer-${image.layers[0]!.digest}`
    const states = told.filter((progress) => progress.name === name).map(({ event }) => event)
    expect([...new Set(states)].filter((event) => event !== 'downloading')).toEqual([
      'waiting',
      'complete',
      'extracting',
      'extracted',
    ])
    expect(told.find(({ event }) => event === 'extracted')).toMatchObject({
      parents: [`manifest-${image.target.digest}`],
      progress: image.layers[0]!.size,
    })
  })
})

async function sizeOf(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
