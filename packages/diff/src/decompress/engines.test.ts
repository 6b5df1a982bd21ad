import { closeSync, openSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { digestOf } from '@nsbox/oci'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { CompressedBytes } from './decompressor.ts'
import { engines } from './engines.ts'

// More than a pipe holds, and nothing that could hide a chunk in the wrong place.
const plain = Buffer.from(Array.from({ length: 700_000 }, (_, index) => `${index},`).join(''))

describeWith({ linux: true, programs: ['zstd'] }, 'engines that decompress', () => {
  const compressed: Record<string, Buffer> = {}
  beforeAll(async () => {
    compressed.gzip = gzipSync(plain)
    const { stdoutBytes } = await runOrThrow('zstd', ['-c', '-q'], { input: plain })
    compressed.zstd = Buffer.from(stdoutBytes)
  })

  describe.each(engines.map((engine) => [engine.name, engine] as const))('%s', (_, engine) => {
    let bytes: Buffer
    let open: string[]
    beforeEach(() => {
      bytes = compressed[engine.format]!
      open = readdirSync('/proc/self/fd')
    })

    async function all(source: CompressedBytes): Promise<string> {
      const chunks: Buffer[] = []
      for await (const chunk of engine.decompress(source, {})) chunks.push(Buffer.from(chunk))
      return digestOf(Buffer.concat(chunks))
    }

    const fed = (...pieces: readonly Buffer[]): CompressedBytes => ({
      async *chunks() {
        yield* pieces
      },
    })

    test('gives the same bytes, whatever the pieces that it is fed', async () => {
      const pieces = [
        bytes.subarray(0, 1),
        Buffer.alloc(0),
        bytes.subarray(1, 70_000),
        bytes.subarray(70_000),
      ]
      expect(await all(fed(...pieces))).toBe(digestOf(plain))
    })

    test('gives the same bytes of a file', async () => {
      await using dir = await tempDir()
      const path = join(dir.path, 'compressed')
      await writeFile(path, bytes)
      const fd = openSync(path, 'r')
      try {
        expect(await all({ ...fed(bytes), file: () => fd })).toBe(digestOf(plain))
      } finally {
        closeSync(fd)
      }
    })

    test('passes on what goes wrong with the bytes that it is fed', async () => {
      const source = async function* () {
        yield bytes.subarray(0, 10_000)
        throw new Error('the line is cut')
      }
      await expect(all({ chunks: source })).rejects.toThrow('the line is cut')
      await expect.poll(() => readdirSync('/proc/self/fd')).toEqual(open)
    })

    test('refuses what is cut or is something else', async () => {
      for (const damaged of [bytes.subarray(0, -1), bytes.subarray(0, 20), Buffer.alloc(1000, 'x')])
        await expect(all(fed(damaged))).rejects.toMatchObject({ code: 'data_loss' })
      await expect.poll(() => readdirSync('/proc/self/fd')).toEqual(open)
    })

    test('lets go of everything when the iteration ends early', async () => {
      for await (const chunk of engine.decompress(fed(bytes), {})) {
        expect(chunk.length).toBeGreaterThan(0)
        break
      }
      await expect.poll(() => readdirSync('/proc/self/fd')).toEqual(open)
    })

    test('ends with an abort', async () => {
      const abort = new AbortController()
      const source = async function* () {
        yield bytes.subarray(0, 100_000)
        abort.abort()
        abort.signal.throwIfAborted()
      }
      const reading = (async () => {
        for await (const _chunk of engine.decompress({ chunks: source }, { signal: abort.signal }));
      })()
      await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
      await expect.poll(() => readdirSync('/proc/self/fd')).toEqual(open)
    })
  })
})
