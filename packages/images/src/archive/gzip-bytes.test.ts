import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { gzipBytes } from './gzip-bytes.ts'

it('compresses into a stream whose header says nothing of time and place', async () => {
  const bytes = Buffer.alloc(1_000_000, 'some text ')
  const zipped = await buffer(gzipBytes([bytes.subarray(0, 7), bytes.subarray(7)]))
  expect(gunzipSync(zipped).equals(bytes)).toBe(true)
  expect(zipped.subarray(0, 9)).toEqual(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0]))
})

it('fails as its source does', async () => {
  async function* source() {
    yield Buffer.alloc(1000)
    throw new Error('torn')
  }
  await expect(buffer(gzipBytes(source()))).rejects.toThrow('torn')
})

it('releases its source when it is left', async () => {
  let released = false
  async function* source() {
    try {
      for (;;) yield Buffer.from(String(Math.random()).repeat(10_000))
    } finally {
      released = true
    }
  }
  for await (const _chunk of gzipBytes(source())) break
  await expect.poll(() => released).toBe(true)
})
