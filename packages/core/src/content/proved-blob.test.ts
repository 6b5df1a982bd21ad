import { buffer } from 'node:stream/consumers'
import { digestOf } from '@nsbox/oci'
import { expect, it } from 'vitest'
import { provedBlob } from './proved-blob.ts'

const bytes = Buffer.from('some bytes')
const descriptor = { digest: digestOf(bytes), size: bytes.length }
const store = (...chunks: Uint8Array[]) => ({
  async *read() {
    yield* chunks
  },
})

it('gives the bytes of a blob that is what its descriptor says', async () => {
  const read = provedBlob(store(bytes.subarray(0, 3), bytes.subarray(3)), descriptor)
  expect(await buffer(read)).toEqual(bytes)
})

it.each([
  ['too few bytes', [bytes.subarray(1)]],
  ['too many bytes', [bytes, bytes]],
  ['other bytes', [Buffer.from('some other')]],
])('ends with an error after %s', async (_what, chunks) => {
  await expect(buffer(provedBlob(store(...chunks), descriptor))).rejects.toMatchObject({ code: 'data_loss' })
})
