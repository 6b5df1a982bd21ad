import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gnuLongName, paxHeader, rawEntry, rawTar } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { attemptAsync, fuzz, mutatedBytes } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, expect } from 'vitest'
import { extractCheckpoint } from './extract-archive.ts'

const names = [
  'core-1.img',
  'a/b',
  '.',
  './',
  'a',
  'descriptors.json',
  '..',
  '/etc',
  'a/../b',
  './a/',
  'a//b',
  'x\0y',
  'é',
  'd/e/f/g',
]
const entry = fc
  .record({
    name: fc.constantFrom(...names),
    type: fc.constantFrom('0', '0', '0', '5', '1', '2', '3', '6'),
    content: fc.constantFrom('', 'x', '["pipe:[1]"]', '["a","b","c","d"]', 'x'.repeat(600)),
    mode: fc.constantFrom(0o644, 0o6777, 0),
    prefix: fc.constantFrom('', 'a', '..'),
    before: fc.constantFrom(
      undefined,
      gnuLongName('L', 'long/../name'),
      paxHeader([['path', '../up']]),
      paxHeader([['size', '3']]),
    ),
  })
  .map(({ before, content, type, ...header }) => [
    ...(before === undefined ? [] : [before]),
    rawEntry({ ...header, type, linkName: 'a', content: type === '0' ? content : '' }),
  ])
const made = fc.array(entry, { maxLength: 6 }).map((entries) => rawTar(...entries.flat()))
const seeds = [
  rawTar(
    rawEntry({ name: './', type: '5' }),
    rawEntry({ name: 'core-1.img', content: 'x' }),
    rawEntry({ name: 'descriptors.json', content: '["a"]' }),
  ),
]

const parent = mkdtempSync(join(tmpdir(), 'nsbox-fuzz-'))
writeFileSync(join(parent, 'outside'), 'x')
afterAll(() => rmSync(parent, { recursive: true }))
const directory = join(parent, 'images')

/** All that is below a directory. */
function below(path: string): { path: string; mode: number; isPlain: boolean; uid: number; nlink: number }[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((found) => {
    const inner = join(path, found.name)
    const { mode, uid, nlink } = lstatSync(inner)
    const own = {
      path: inner,
      mode: mode & 0o7777,
      isPlain: found.isFile() || found.isDirectory(),
      uid,
      nlink: found.isFile() ? nlink : 1,
    }
    return [own, ...(found.isDirectory() ? below(inner) : [])]
  })
}

describeWith({ linux: true }, 'an archive of a checkpoint', () => {
  fuzz(
    'D11 becomes files and directories of this user in its own directory, or nothing that counts',
    fc.oneof(made, mutatedBytes(seeds, { most: 3 })),
    async (bytes) => {
      mkdirSync(directory)
      async function* pieces() {
        for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700)
      }
      const { outcome } = await attemptAsync(() =>
        extractCheckpoint(pieces(), directory, { size: bytes.length }),
      )
      expect(readdirSync(parent).sort()).toEqual(['images', 'outside'])
      for (const { path, mode, isPlain, uid, nlink } of below(directory)) {
        expect({ path, isPlain, uid, nlink }).toEqual({
          path,
          isPlain: true,
          uid: process.geteuid!(),
          nlink: 1,
        })
        expect(mode & 0o077).toBe(0)
      }
      rmSync(directory, { recursive: true })
      return outcome
    },
    { runs: 150 },
  )
})
