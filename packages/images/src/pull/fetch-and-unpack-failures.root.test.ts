import type { Remote } from '@nsbox/core/transfer'
import { LayerWorkers } from '@nsbox/diff'
import { isNotFound, NsboxError } from '@nsbox/errors'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { compareTrees } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, expect, test } from 'vitest'
import { type Delivery, type ImageInMemory, imageInMemory, remoteOf } from '../testing/image-in-memory.ts'
import { sequentialTree } from '../testing/sequential-tree.ts'
import { file, isLayer, random, sized, top } from '../testing/sized-image.ts'
import { unpackStores } from '../testing/unpack-stores.ts'
import { fetchImage } from './pull.ts'

describeWith(
  { root: true, linux: true, programs: ['python3'] },
  'a fetch that unpacks, when it fails,',
  () => {
    const workers = new LayerWorkers({ threads: 2 })
    afterAll(() => workers[Symbol.asyncDispose]())

    test('goes on after an interruption, and leaves but committed snapshots and ingests by it', async () => {
      await using stores = await unpackStores(workers)
      const image = sized(10, 800)
      const stop = new AbortController()
      const stopped: Delivery = async function* (blob, { digest }, offset) {
        if (digest !== image.layers[1]!.digest) return yield blob.subarray(offset)
        yield blob.subarray(offset, 300_000)
        stop.abort()
        yield blob.subarray(300_000)
      }
      const options = { content: stores.content, unpack: [stores.into] }
      const { signal } = stop
      await expect(
        fetchImage({ remote: remoteOf(image, stopped), ...options, signal }),
      ).rejects.toMatchObject({
        name: 'AbortError',
      })
      expect((await stores.snapshots()).filter((name) => !name.startsWith('committed'))).toEqual([])
      await expect(stores.snapshotter.stat(top(image))).rejects.toSatisfy(isNotFound)
      expect((await stores.content.status(`layer-${image.layers[1]!.digest}`)).offset).toBe(300_000)

      const offsets: number[] = []
      const resumed: Delivery = (blob, descriptor, offset) => {
        if (isLayer(image, descriptor)) offsets.push(offset)
        return [blob.subarray(offset)]
      }
      await fetchImage({ remote: remoteOf(image, resumed), ...options })
      expect(offsets).toContain(300_000)
      expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
    })

    test('begins a layer anew that an earlier attempt left wrong', async () => {
      await using stores = await unpackStores(workers)
      const image = sized(5, 400)
      const [, layer] = image.layers
      {
        await using writer = await stores.content.writer({
          ref: `layer-${layer!.digest}`,
          total: layer!.size,
        })
        await writer.write(
          image.blobs
            .get(layer!.digest)!
            .subarray(0, 100_000)
            .map((byte, at) => (at > 90_000 ? 0 : byte)),
        )
      }
      const ofLayer = () => stores.applies.filter(({ digest }) => digest === layer!.digest)
      const followed: Delivery = async function* (blob, { digest }, offset) {
        // The resumed download ends only when it has a reader.
        if (digest === layer!.digest && offset > 0) await expect.poll(ofLayer).toHaveLength(1)
        yield blob.subarray(offset)
      }
      await fetchImage({ remote: remoteOf(image, followed), content: stores.content, unpack: [stores.into] })
      expect(compareTrees(await sequentialTree(image), await stores.tree(top(image)))).toEqual([])
      expect(ofLayer().map(({ arriving }) => arriving)).toEqual([true, false])
    })

    test.each<[string, (image: ImageInMemory) => Delivery, string]>([
      [
        'bytes that are not the layer’s',
        (image) => (blob, descriptor, offset) => [
          isLayer(image, descriptor) ? Buffer.alloc(blob.length - offset, 7) : blob.subarray(offset),
        ],
        'failed_precondition|data_loss|invalid_argument',
      ],
      [
        'a remote that fails in the middle',
        (image) =>
          async function* (blob, descriptor, offset) {
            yield blob.subarray(offset, isLayer(image, descriptor) ? 1000 : blob.length)
            if (isLayer(image, descriptor)) throw new NsboxError('unavailable', 'the remote')
          },
        'unavailable',
      ],
    ])('ends at once for %s, and commits no layer', async (_, delivery, codes) => {
      await using stores = await unpackStores(workers)
      const image = sized(100, 200, 300)
      const failed = fetchImage({
        remote: remoteOf(image, delivery(image)),
        content: stores.content,
        unpack: [stores.into],
      })
      await expect(failed).rejects.toMatchObject({ code: expect.stringMatching(codes) })
      expect(await stores.snapshots()).toEqual([])
      for (const { digest } of image.layers)
        await expect(stores.content.info(digest)).rejects.toSatisfy(isNotFound)
    })

    test.each<[string, ImageInMemory, string]>([
      [
        'A01 an entry outside of the tree',
        imageInMemory([{ entries: [file('../out', random('x', 100_000))], mediaType: mediaTypes.ociLayer }]),
        'invalid_argument',
      ],
      [
        'a diff id that is not the layer’s',
        imageInMemory([{ entries: [file('a', 'b')], diffId: digestOf('c') }]),
        'failed_precondition',
      ],
      [
        'an encrypted layer',
        imageInMemory([{ entries: [], mediaType: `${mediaTypes.ociLayerGzip}+encrypted` }]),
        'unimplemented',
      ],
    ])('refuses %s, without waiting for other layers', async (_, { target, blobs, layers }, code) => {
      await using stores = await unpackStores(workers)
      const never: Remote = remoteOf({ target, blobs, layers, config: target })
      await expect(
        fetchImage({ remote: never, content: stores.content, unpack: [stores.into] }),
      ).rejects.toMatchObject({ code })
      expect(await stores.snapshots()).toEqual([])
    })

    test('does not wait for the rest of a layer that it refuses', async () => {
      await using stores = await unpackStores(workers)
      const image = imageInMemory([
        { entries: [file('../out', ''), file('rest', random('x', 200_000))], mediaType: mediaTypes.ociLayer },
      ])
      const stalls: Delivery = async function* (blob, descriptor, offset) {
        if (!isLayer(image, descriptor)) return yield blob.subarray(offset)
        yield blob.subarray(offset, 2000)
        await new Promise(() => {})
      }
      // An abort is noticed while the rest, which does not come, is waited for.
      const unavailable = remoteOf(image, stalls)
      const remote: Remote = {
        ...unavailable,
        fetch: (descriptor, options) => untilAborted(unavailable.fetch(descriptor, options), options?.signal),
      }
      await expect(
        fetchImage({ remote, content: stores.content, unpack: [stores.into] }),
      ).rejects.toMatchObject({
        code: 'invalid_argument',
      })
      expect(await stores.snapshots()).toEqual([])
    })
  },
)

/** A remote notices an abort while it waits for bytes. */
async function* untilAborted(
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]()
  for (;;) {
    const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      iterator.next().then(resolve, reject)
    })
    if (next.done) return
    yield next.value
  }
}
