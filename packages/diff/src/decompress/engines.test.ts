import { closeSync, openSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { digestOf } from '@nsbox/oci'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { CompressedBytes } from './decompressor.ts'
import { engineFor, engines } from './engines.ts'
import { wasmZstd } from './wasm-zstd.ts'
import { wasmZstdEngine } from './wasm-zstd-engine.ts'

// More than a pipe holds, and without repetition that could hide a misplaced chunk.
const plain = Buffer.from(Array.from({ length: 700_000 }, (_, index) => `${index},`).join(''))

async function zstd(input: Uint8Array, ...args: string[]): Promise<Buffer> {
  return Buffer.from((await runOrThrow('zstd', ['-c', '-q', ...args], { input })).stdoutBytes)
}

describeWith({ linux: true, programs: ['igzip', 'zstd'] }, 'the engine that is chosen', () => {
  test('is a program for many bytes, and none where Node can do it for few or programs may not be used', () => {
    expect(engineFor('gzip').name).toBe('igzip')
    expect(engineFor('gzip', { size: 4 << 20 }).name).toBe('igzip')
    expect(engineFor('gzip', { size: (4 << 20) - 1 }).name).toBe('node:zlib')
    expect(engineFor('gzip', { programs: false }).name).toBe('node:zlib')
    expect(engineFor('zstd').name).toBe('zstd')
    expect(engineFor('zstd', { programs: false }).name).not.toBe('zstd')
  })
})

describeWith({ linux: true, programs: ['zstd'] }, 'engines that decompress', () => {
  const compressed: Record<string, Buffer> = {}
  beforeAll(async () => {
    compressed.gzip = gzipSync(plain)
    compressed.zstd = await zstd(plain)
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

    test('A15 takes members and frames that follow each other for one stream', async () => {
      const [a, b] = [plain.subarray(0, 777), plain.subarray(777)]
      const skippable = Buffer.from('502a4d1804000000aaaaaaaa', 'hex')
      const pieces =
        engine.format === 'gzip'
          ? [gzipSync(a), gzipSync(''), gzipSync(b)]
          : [skippable, await zstd(a), skippable, await zstd(b), skippable]
      expect(await all(fed(Buffer.concat(pieces)))).toBe(digestOf(plain))
    })

    test('A15 refuses what is damaged, by its checksum at the latest', async () => {
      const whole = engine.format === 'gzip' ? bytes : await zstd(plain, '--check')
      const flipped = Buffer.from(whole)
      for (let index = 60; index < 80; index += 1) flipped[index]! ^= 0xff
      const wrongSum = Buffer.from(whole)
      wrongSum[wrongSum.length - (engine.format === 'gzip' ? 6 : 1)]! ^= 1
      for (const damaged of [flipped, wrongSum])
        await expect(all(fed(damaged))).rejects.toMatchObject({ code: 'data_loss' })
    })

    test.runIf(engine.format === 'zstd')(
      'A15 refuses a frame that is damaged before others that are not',
      async () => {
        const good = await zstd(Buffer.from('some text, some text'), '--no-check')
        // A block of the reserved type, and one of a literal section that does not fit, each in a frame of its own.
        const reserved = Buffer.from('28b52ffd2003070000', 'hex')
        const literals = Buffer.from('28b52ffd20031d0000ffffff', 'hex')
        for (const bad of [reserved, literals])
          for (const size of [1, 7, 1000]) {
            const whole = Buffer.concat([bad, good, good])
            const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, index) =>
              whole.subarray(index * size, (index + 1) * size),
            )
            await expect(all(fed(...pieces))).rejects.toMatchObject({ code: 'data_loss' })
          }
      },
    )

    test.runIf(engine.format === 'zstd')(
      'ends a frame with its last byte, whatever its output fills',
      async () => {
        for (const size of [131_072, 262_144, 3 * 131_072 + 1]) {
          const zeros = Buffer.alloc(size)
          expect(await all(fed(await zstd(zeros)))).toBe(digestOf(zeros))
          expect(await all(fed(await zstd(zeros, '--check'), await zstd(zeros)))).toBe(
            digestOf(Buffer.concat([zeros, zeros])),
          )
        }
      },
    )

    test.runIf(engine.format === 'zstd')('A15 refuses a window beyond 128 MiB', async () => {
      // Magic, descriptor without single segment, window of 2^(10+21): 2 GiB; then an empty last block.
      const frame = Buffer.concat([Buffer.from('28b52ffd00a8010000', 'hex'), Buffer.alloc(600)])
      await expect(all(fed(frame))).rejects.toMatchObject({ code: 'data_loss' })
    })

    test('A15 refuses what is cut or is something else', async () => {
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

test('zstd in WebAssembly gives back the memory of what is ended early', async () => {
  const { memory } = await wasmZstd()
  // A window of 8 MiB, of which one block has come.
  const frame = Buffer.concat([Buffer.from('28b52ffd0068', 'hex'), Buffer.from([0x02, 0, 0x10, 0x61])])
  const source = async function* () {
    for (;;) yield frame
  }
  let grown = 0
  for (let run = 0; run < 40; run += 1) {
    for await (const _chunk of wasmZstdEngine.decompress({ chunks: source }, {})) break
    if (run === 4) grown = memory.buffer.byteLength
  }
  expect(memory.buffer.byteLength).toBe(grown)
})
