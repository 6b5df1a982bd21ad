import { digestOf } from '@nsbox/oci'
import { expect, it } from 'vitest'
import { readBlob } from './read-blob.ts'

const bytes = Buffer.from('some bytes')
const descriptor = { digest: digestOf(bytes), size: bytes.length }
const store = (...chunks: Uint8Array[]) => ({
  async *read() {
    yield* chunks
  },
})

it('gives the bytes of a blob that is what its descriptor says', async () => {
  const read = await readBlob(store(bytes.subarray(0, 3), bytes.subarray(3)), descriptor, { limit: 100 })
  expect(Buffer.from(read)).toEqual(bytes)
})

it.each([
  ['too few bytes', [bytes.subarray(1)]],
  ['too many bytes', [bytes, bytes]],
  ['other bytes', [Buffer.from('some other')]],
])('finds out about %s', async (_what, chunks) => {
  await expect(readBlob(store(...chunks), descriptor, { limit: 100 })).rejects.toMatchObject({
    code: 'data_loss',
  })
})

it('B02 reads nothing of what is larger than the limit', async () => {
  const unread = {
    read() {
      throw new Error('read')
    },
  }
  await expect(readBlob(unread, descriptor, { limit: 9 })).rejects.toMatchObject({
    code: 'resource_exhausted',
  })
})
