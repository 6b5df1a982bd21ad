import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { collect, newBlob, put, sameBytes } from './blobs.ts'
import type { CreateContentStore } from './subject.ts'

/** More bytes than a store or connection buffers between a reader and a blob. */
const large = 8 * 1024 * 1024

export function readingTests(create: CreateContentStore): void {
  describe('reading', () => {
    const test = subjectTest(create)

    test('gives the range that is asked for', async ({ store }) => {
      const blob = newBlob(1000)
      await put(store, blob)
      const range = (offset?: number, length?: number) =>
        collect(
          store.read(blob.digest, {
            ...(offset === undefined ? {} : { offset }),
            ...(length === undefined ? {} : { length }),
          }),
        )
      expect(await range(0)).toEqual(blob.bytes)
      expect(await range(1)).toEqual(blob.bytes.subarray(1))
      expect(await range(999)).toEqual(blob.bytes.subarray(999))
      expect(await range(undefined, 10)).toEqual(blob.bytes.subarray(0, 10))
      expect(await range(100, 1)).toEqual(blob.bytes.subarray(100, 101))
      expect(await range(100, 900)).toEqual(blob.bytes.subarray(100))
      expect(await range(100, 5000)).toEqual(blob.bytes.subarray(100))
      expect(await range(100, 0)).toHaveLength(0)
      expect(await range(1000)).toHaveLength(0)
      expect(await range(1000, 1)).toHaveLength(0)
    })

    test('gives a range of a large blob', async ({ store }) => {
      const blob = newBlob(large)
      await put(store, blob)
      const offset = 1_234_567
      const length = 3_456_789
      const read = await collect(store.read(blob.digest, { offset, length }))
      expect(sameBytes(read, blob.bytes.subarray(offset, offset + length))).toBe(true)
    })

    test('refuses an offset beyond the end', async ({ store }) => {
      const blob = newBlob(1000)
      await put(store, blob)
      await expectCode(collect(store.read(blob.digest, { offset: 1001 })), 'out_of_range')
      await expectCode(collect(store.read(blob.digest, { offset: 5000, length: 1 })), 'out_of_range')
    })

    test('reports a missing blob when it is iterated, not when it is called', async ({ store }) => {
      const stream = store.read(newBlob(10).digest)
      await expectCode(collect(stream), 'not_found')
      await expectCode(collect(store.read(newBlob(10).digest, { offset: 5, length: 0 })), 'not_found')
    })

    test('serves several readers of one blob at once', async ({ store }) => {
      const blob = newBlob(300_000)
      await put(store, blob)
      const reads = await Promise.all([1, 2, 3].map(() => collect(store.read(blob.digest))))
      for (const read of reads) expect(sameBytes(read, blob.bytes)).toBe(true)
    })

    test('leaves its chunks to the caller', async ({ store }) => {
      const blob = newBlob(large)
      await put(store, blob)
      const copy = new Uint8Array(large)
      let offset = 0
      for await (const chunk of store.read(blob.digest)) {
        copy.set(chunk, offset)
        offset += chunk.length
        chunk.fill(0)
      }
      expect(sameBytes(copy, blob.bytes)).toBe(true)
      expect(sameBytes(await collect(store.read(blob.digest)), blob.bytes)).toBe(true)
    })

    test('can be ended early', async ({ store }) => {
      const blob = newBlob(large)
      await put(store, blob)
      for (let round = 0; round < 20; round++) {
        for await (const chunk of store.read(blob.digest)) {
          expect(chunk.length).toBeGreaterThan(0)
          break
        }
      }
      await store.delete(blob.digest)
      await expectCode(collect(store.read(blob.digest)), 'not_found')
    })

    test('goes on to the end of a blob that is deleted meanwhile', async ({ store }) => {
      const blob = newBlob(large)
      await put(store, blob)
      const stream = store.read(blob.digest)[Symbol.asyncIterator]()
      const first = await stream.next()
      await store.delete(blob.digest)
      await expectCode(store.info(blob.digest), 'not_found')
      const rest = await collect({ [Symbol.asyncIterator]: () => stream })
      expect(sameBytes(Buffer.concat([first.value, rest]), blob.bytes)).toBe(true)
    })
  })
}
