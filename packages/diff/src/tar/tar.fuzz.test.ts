import { describeWith } from '@nsbox/testing/describe-with'
import { attempt, fuzz, mutatedBytes, shown } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, expect } from 'vitest'
import { type PythonMember, PythonTar } from '../testing/python-tar.ts'
import { tarDictionary, tarSeeds, withChecksums } from '../testing/tar-seeds.ts'
import type { TarEntry } from './tar-entry.ts'
import { TarParser } from './tar-parser.ts'
import { padding, tarHeader } from './write-header.ts'

const seeds = await tarSeeds()
const archive = fc
  .tuple(mutatedBytes(seeds, { dictionary: tarDictionary }), fc.boolean(), fc.boolean())
  // Without correct checksums, the code behind their check would not be reached.
  .map(([bytes, summed, ended]) => {
    const whole = summed ? withChecksums(bytes) : bytes
    return shown(ended ? Buffer.concat([whole, Buffer.alloc(1024)]) : whole)
  })

interface Parsed {
  readonly entry: TarEntry
  readonly stored: number
}

/** @param sizes of the pieces to push, repeatedly */
function parsed(bytes: Buffer, sizes: readonly number[]): Parsed[] {
  const found: { entry: TarEntry; stored: number; ended: boolean }[] = []
  const handler = {
    entry: (entry: TarEntry) => found.push({ entry, stored: 0, ended: false }),
    data: (piece: Buffer) => {
      found.at(-1)!.stored += piece.length
    },
    end: () => {
      found.at(-1)!.ended = true
    },
  }
  const parser = new TarParser(handler, 1e6)
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!
    parser.push(bytes.subarray(at, at + size))
    at += size
  }
  parser.finish()
  expect(found.every(({ ended }) => ended)).toBe(true)
  return found.map(({ entry, stored }) => ({ entry, stored }))
}

const pieceSizes = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 4 })

fuzz(
  'A14 an archive is the same entries in whatever pieces it comes, each of which is whole',
  fc.tuple(archive, pieceSizes),
  ([bytes, sizes]) => {
    const { outcome, value } = attempt(() => parsed(bytes, [bytes.length || 1]))
    expect(attempt(() => parsed(bytes, sizes))).toEqual({ outcome, value })
    for (const { entry, stored } of value ?? []) {
      expect(entry.sparse?.reduce((sum, { length }) => sum + length, 0) ?? entry.size).toBe(stored)
      let end = 0
      for (const { offset, length } of entry.sparse ?? []) {
        expect(offset).toBeGreaterThanOrEqual(end)
        end = offset + length
      }
      expect(end).toBeLessThanOrEqual(entry.size)
      expect(entry.mode).toBe(entry.mode & 0o7777)
      for (const number of [entry.uid, entry.gid, entry.size, entry.mtime.nanoseconds])
        expect(Number.isSafeInteger(number) && number >= 0).toBe(true)
      expect(Number.isSafeInteger(entry.mtime.seconds) && entry.mtime.nanoseconds < 1e9).toBe(true)
    }
    return outcome
  },
)

fuzz('an entry that was read and is written is read as the same', archive, (bytes) => {
  const { outcome, value } = attempt(() => parsed(bytes, [65_536]))
  if (value === undefined) return outcome
  const plain = value.flatMap(({ entry }) => {
    const isDevice = entry.type === 'character' || entry.type === 'block'
    // For other entries the device fields have no meaning, and the kernel has no such devices.
    if (isDevice && [entry.major, entry.minor].some((part) => part < 0 || part > 0xfffff)) return []
    return entry.sparse === undefined ? [isDevice ? entry : { ...entry, major: 0, minor: 0 }] : []
  })
  const written = plain.flatMap((entry) => [tarHeader(entry), Buffer.alloc(entry.size), padding(entry.size)])
  const again = parsed(Buffer.concat([...written, Buffer.alloc(1024)]), [65_536])
  expect(again.map(({ entry }) => entry)).toEqual(plain)
  return outcome
})

describeWith({ programs: ['python3'] }, 'beside Python', () => {
  const python = new PythonTar()
  afterAll(() => python.close())

  fuzz(
    'what Python finds in a whole archive are the same names, types, sizes and targets',
    archive,
    async (bytes) => {
      const ours = attempt(() => parsed(bytes, [65_536]))
      const theirs = await python.list(bytes)
      if (ours.value === undefined || theirs === undefined) return ours.outcome
      const mine = ours.value.map(({ entry: { name, type, size, linkName } }): PythonMember => {
        const isLink = type === 'hardlink' || type === 'symlink'
        return [
          // Python does not take an entry for a directory by its name if its type is a file.
          Buffer.from(name.replace(/\/+$/, ''), 'latin1').toString('hex'),
          type === 'directory' && name.endsWith('/') ? 'file' : type,
          size,
          isLink ? Buffer.from(linkName, 'latin1').toString('hex') : '',
        ]
      })
      // Python ignores everything after an invalid header, reads a prefix of names also in headers without a magic, and
      // the padding of a long name.
      expect(theirs.length).toBeLessThanOrEqual(mine.length)
      for (const [index, [name, type, size, target]] of theirs.entries()) {
        const [myName, myType, mySize, myTarget] = mine[index]!
        expect([type === 'directory' && myType === 'file' ? 'file' : type, size]).toEqual([myType, mySize])
        if (!name.startsWith(myName) && !name.endsWith(`2f${myName}`)) expect(name).toBe(myName)
        if (!target.startsWith(myTarget)) expect(target).toBe(myTarget)
      }
      return 'accepted'
    },
  )
})
