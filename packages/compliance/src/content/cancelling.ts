import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { collect, interrupt, items, newBlob, put, sameBytes } from './blobs.ts'
import type { CreateContentStore } from './subject.ts'

const reason = new Error('the caller gave up')

/**
 * Whether a promise rejected with the abort's reason, or resolved because the abort came too late. Any other failure
 * fails the test.
 */
async function settle(operation: Promise<unknown>): Promise<'done' | 'aborted'> {
  try {
    await operation
    return 'done'
  } catch (error) {
    expect(error).toBe(reason)
    return 'aborted'
  }
}

export function cancellingTests(create: CreateContentStore): void {
  describe('cancelling', () => {
    const test = subjectTest(create)
    const signal = AbortSignal.abort(reason)

    test('does nothing for a caller who has given up already', async ({ store }) => {
      const blob = newBlob(10)
      await put(store, blob, { labels: { a: '1' } })
      await interrupt(store, 'kept', new Uint8Array(5))

      await expect(store.info(blob.digest, { signal })).rejects.toBe(reason)
      await expect(collect(store.read(blob.digest, { signal }))).rejects.toBe(reason)
      await expect(store.writer({ ref: 'new' }, { signal })).rejects.toBe(reason)
      await expect(store.status('kept', { signal })).rejects.toBe(reason)
      await expect(store.statuses([], { signal })).rejects.toBe(reason)
      await expect(store.abort('kept', { signal })).rejects.toBe(reason)
      await expect(store.update(blob.digest, { replace: {} }, { signal })).rejects.toBe(reason)
      await expect(items(store.list([], { signal }))).rejects.toBe(reason)
      await expect(store.delete(blob.digest, { signal })).rejects.toBe(reason)

      expect({ ...(await store.info(blob.digest)).labels }).toEqual({ a: '1' })
      expect((await store.statuses()).map(({ ref, offset }) => [ref, offset])).toEqual([['kept', 5]])
    })

    test('writes nothing for a caller who has given up already', async ({ store }) => {
      await using writer = await store.writer({ ref: 'layer' })
      await writer.write(new Uint8Array(5))
      await expect(writer.write(new Uint8Array(5), { signal })).rejects.toBe(reason)
      await expect(writer.restart({ signal })).rejects.toBe(reason)
      await writer[Symbol.asyncDispose]()
      expect(await store.status('layer')).toMatchObject({ offset: 5 })
    })

    test('publishes nothing for a caller who has given up already, and closes the writer', async ({
      store,
    }) => {
      const blob = newBlob(10)
      await using writer = await store.writer({ ref: 'layer' })
      await writer.write(blob.bytes)
      await expect(writer.commit({ signal })).rejects.toBe(reason)
      await expectCode(writer.write(blob.bytes), 'failed_precondition')
      await expectCode(store.info(blob.digest), 'not_found')
      await using next = await store.writer({ ref: 'layer' })
      expect(next.status().offset).toBe(10)
      expect((await next.commit()).digest).toBe(blob.digest)
    })

    test('stops a read', async ({ store }) => {
      const blob = newBlob(8 * 1024 * 1024)
      await put(store, blob)
      const controller = new AbortController()
      let read = 0
      const reading = async () => {
        for await (const chunk of store.read(blob.digest, { signal: controller.signal })) {
          read += chunk.length
          controller.abort(reason)
        }
      }
      await expect(reading()).rejects.toBe(reason)
      expect(read).toBeLessThan(blob.bytes.length)
    })

    test('leaves an ingest that can be resumed when a write is stopped', async ({ store }) => {
      const blob = newBlob(8 * 1024 * 1024)
      {
        await using writer = await store.writer({ ref: 'layer' })
        const controller = new AbortController()
        const writing = settle(writer.write(blob.bytes, { signal: controller.signal }))
        controller.abort(reason)
        await writing
      }
      await using writer = await store.writer({ ref: 'layer', expected: blob.digest })
      await writer.write(blob.bytes.subarray(writer.status().offset))
      expect((await writer.commit({ size: blob.bytes.length })).digest).toBe(blob.digest)
    })

    test('leaves a whole blob or none when a commit is stopped', async ({ store }) => {
      const blob = newBlob(1024 * 1024)
      await using writer = await store.writer({ ref: 'layer' })
      await writer.write(blob.bytes)
      const controller = new AbortController()
      const committing = settle(writer.commit({ signal: controller.signal }))
      controller.abort(reason)
      if ((await committing) === 'aborted' && (await items(store.list())).length === 0) {
        await using next = await store.writer({ ref: 'layer' })
        expect(next.status().offset).toBe(blob.bytes.length)
        await next.commit()
      }
      expect(sameBytes(await collect(store.read(blob.digest)), blob.bytes)).toBe(true)
    })
  })
}
