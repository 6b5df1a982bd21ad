import { deflateRawSync, gzipSync } from 'node:zlib'
import { runOrThrow } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { attemptAsync, fuzz, mutatedBytes, shown } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import type { DecompressionEngine } from './decompressor.ts'
import { engines } from './engines.ts'

const plain = Buffer.from(Array.from({ length: 400 }, (_, index) => `${index % 17},`).join(''))
const zstd = async (input: Uint8Array, ...args: string[]) =>
  Buffer.from((await runOrThrow('zstd', ['-c', '-q', ...args], { input })).stdoutBytes)

async function decompressed(engine: DecompressionEngine, bytes: Buffer, size: number): Promise<string> {
  const chunks: Buffer[] = []
  let total = 0
  const source = {
    async *chunks() {
      for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size))
    },
  }
  for await (const chunk of engine.decompress(source, {})) {
    chunks.push(Buffer.from(chunk))
    total += chunk.length
    if (total > 8 << 20) break
  }
  return Buffer.concat(chunks).toString('latin1')
}

describeWith({ linux: true, programs: ['zstd', 'igzip'] }, 'engines', async () => {
  const gzipSeeds = [
    gzipSync(plain),
    gzipSync(plain, { level: 0 }),
    Buffer.concat([gzipSync('first'), gzipSync('second')]),
    // With every field of a header: flags 0x1e, an extra field, a name, a comment, a checksum.
    Buffer.concat([Buffer.from('1f8b080200000000000302000000', 'hex'), deflateRawSync('x')]),
    Buffer.concat([gzipSync('padded'), Buffer.alloc(64)]),
  ]
  const skippable = Buffer.from('502a4d1804000000aabbccdd', 'hex')
  const frame = await zstd(plain)
  const zstdSeeds = [
    frame,
    await zstd(plain, '--check', '-19'),
    await zstd(plain, '--no-check'),
    Buffer.concat([frame, frame]),
    Buffer.concat([skippable, frame, skippable]),
    await zstd(Buffer.alloc(300_000), '-1'),
  ]
  for (const [format, seeds] of [
    ['gzip', gzipSeeds],
    ['zstd', zstdSeeds],
  ] as const) {
    const magic = seeds[0]!.subarray(0, format === 'gzip' ? 3 : 4)
    const bytes = mutatedBytes(seeds, { dictionary: [magic, skippable, Buffer.alloc(8)] }).map((mutated) =>
      // Other beginnings are never passed to them.
      mutated.subarray(0, magic.length).equals(magic)
        ? mutated
        : shown(Buffer.concat([magic, mutated.subarray(magic.length)])),
    )
    const all = engines.filter((engine) => engine.format === format)
    const own = all.filter(({ name }) => name !== 'igzip' && name !== 'zstd')

    fuzz(
      `A15 ${format} gives the same in whatever pieces it comes, or is refused`,
      fc.tuple(bytes, fc.integer({ min: 1, max: 200 })),
      async ([input, size]) => {
        let outcome = 'none'
        for (const engine of own) {
          const whole = await attemptAsync(() => decompressed(engine, input, input.length))
          expect(await attemptAsync(() => decompressed(engine, input, size))).toEqual(whole)
          outcome = whole.outcome
        }
        return outcome
      },
      { runs: 150 },
    )

    fuzz(
      `A15 ${format} is the same to all engines that take it`,
      bytes,
      async (input) => {
        const found = await Promise.all(
          all.map((engine) => attemptAsync(() => decompressed(engine, input, input.length))),
        )
        const taken = found.flatMap(({ value }) => (value === undefined ? [] : [value]))
        expect(new Set(taken).size).toBeLessThanOrEqual(1)
        return taken.length === all.length
          ? 'accepted'
          : taken.length > 0
            ? 'accepted by some'
            : found[0]!.outcome
      },
      { runs: 30, longRuns: 5_000 },
    )
  }
})
