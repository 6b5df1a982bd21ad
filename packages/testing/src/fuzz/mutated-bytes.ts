import fc from 'fast-check'

/** How to change a real input. */
export interface MutationOptions {
  /** Most changes of one input; 6 by default. An unchanged input is tried too. */
  readonly most?: number
  /** Pieces with a meaning in this format, to be inserted anywhere. */
  readonly dictionary?: readonly (string | Uint8Array)[]
}

/** Numbers at which lengths, offsets and counters go wrong. */
const interestingNumbers = [
  0n,
  1n,
  -1n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x1ffn,
  0x200n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x10000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_fffen,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1f_ffff_ffff_ffffn,
  0x20_0000_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  -0x8000_0000_0000_0000n,
]

type Mutation = (bytes: Buffer) => Buffer

/** A place in bytes of any length. */
const place = fc.nat(0xffff_ffff)
const length = fc.oneof(fc.nat(8), fc.nat(64), fc.nat(2048))

const scale = (at: number, end: number): number => (end === 0 ? 0 : at % end)

function spliced(bytes: Buffer, at: number, removed: number, added: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)])
}

/** The forms in which formats write numbers. */
const numberForms: readonly ((value: bigint) => Uint8Array)[] = [
  ...[1, 2, 4, 8].flatMap((size) => [
    (value: bigint) => numberBytes(value, size),
    (value: bigint) => numberBytes(value, size).reverse(),
  ]),
  (value) => Buffer.from(value.toString()),
  (value) => Buffer.from(value.toString(8)),
  (value) => Buffer.from(value.toString(16)),
]

function numberBytes(value: bigint, size: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
  return Buffer.from(bytes.subarray(0, size))
}

function mutation(seeds: readonly Buffer[], dictionary: readonly Buffer[]): fc.Arbitrary<Mutation> {
  const inserted = (added: fc.Arbitrary<Uint8Array>) =>
    fc.tuple(place, added, fc.boolean()).map(
      ([at, piece, over]): Mutation =>
        (bytes) =>
          spliced(bytes, scale(at, bytes.length + 1), over ? piece.length : 0, piece),
    )
  const number = fc
    .tuple(fc.constantFrom(...interestingNumbers), fc.constantFrom(...numberForms))
    .map(([value, form]) => form(value))
  return fc.oneof(
    fc.tuple(place, fc.nat(7)).map(
      ([at, bit]): Mutation =>
        (bytes) => {
          if (bytes.length === 0) return bytes
          const copy = Buffer.from(bytes)
          copy[scale(at, bytes.length)]! ^= 1 << bit
          return copy
        },
    ),
    fc.tuple(place, fc.nat(255)).map(
      ([at, value]): Mutation =>
        (bytes) => {
          if (bytes.length === 0) return bytes
          const copy = Buffer.from(bytes)
          copy[scale(at, bytes.length)] = value
          return copy
        },
    ),
    // Removes a piece, or everything after a place.
    fc.tuple(place, length).map(
      ([at, size]): Mutation =>
        (bytes) =>
          spliced(bytes, scale(at, bytes.length), size, Buffer.alloc(0)),
    ),
    place.map(
      (at): Mutation =>
        (bytes) =>
          bytes.subarray(0, scale(at, bytes.length + 1)),
    ),
    // Repeats a piece.
    fc.tuple(place, length, fc.integer({ min: 1, max: 4 })).map(
      ([at, size, times]): Mutation =>
        (bytes) => {
          const from = scale(at, bytes.length)
          const piece = bytes.subarray(from, from + size)
          return spliced(bytes, from, 0, Buffer.concat(Array(times).fill(piece)))
        },
    ),
    inserted(fc.uint8Array({ maxLength: 16 })),
    inserted(number),
    ...(dictionary.length === 0 ? [] : [inserted(fc.constantFrom(...dictionary))]),
    // Continues with the end of another seed.
    fc.tuple(fc.constantFrom(...seeds), place, place).map(
      ([other, at, from]): Mutation =>
        (bytes) =>
          Buffer.concat([
            bytes.subarray(0, scale(at, bytes.length + 1)),
            other.subarray(scale(from, other.length + 1)),
          ]),
    ),
  )
}

/**
 * Nearly correct bytes: one of `seeds` with bits flipped, pieces removed, repeated and inserted, numbers at which
 * counters overflow, and ends of other seeds. Failures shrink to as few changes as possible.
 */
export function mutatedBytes(
  seeds: readonly (string | Uint8Array)[],
  { most = 6, dictionary = [] }: MutationOptions = {},
): fc.Arbitrary<Buffer> {
  const bytes = seeds.map((seed) => Buffer.from(seed as Uint8Array))
  const pieces = dictionary.map((piece) => Buffer.from(piece as Uint8Array))
  return fc
    .tuple(fc.constantFrom(...bytes), fc.array(mutation(bytes, pieces), { maxLength: most }))
    .map(([seed, mutations]) => shown(mutations.reduce<Buffer>((changed, change) => change(changed), seed)))
}

/** Makes a failure print bytes as text, with repeated bytes as a count, and a part of long ones. */
export function shown(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  const text = () =>
    JSON.stringify(copy.toString('latin1').replace(/(.)\1{7,}/gs, (run) => `«${run.length}×${run[0]}»`))
  return Object.assign(copy, { [fc.toStringMethod]: () => text().slice(0, 1500) })
}

/** `mutatedBytes` as text; invalid UTF-8 is replaced. */
export function mutatedText(seeds: readonly string[], options?: MutationOptions): fc.Arbitrary<string> {
  return mutatedBytes(seeds, options).map((bytes) => bytes.toString())
}
