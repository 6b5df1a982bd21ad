import type { Digest } from '@nsbox/oci'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import { collect, interrupt, newBlob } from './blobs.ts'
import type { ContentStoreClaims } from './claims.ts'
import type { CreateContentStore } from './subject.ts'

const hex = 'a'.repeat(64)

/** Values that callers without type checks, or peers, may pass as digests. */
const malformed = [
  '',
  hex,
  'sha256:',
  `sha256:${hex.slice(1)}`,
  `sha256:${hex}a`,
  `sha256:${hex.toUpperCase()}`,
  `sha256:${hex}\n`,
  `md5:${'a'.repeat(32)}`,
  `sha512:${hex}`,
  `SHA256:${hex}`,
  'sha256:../../../../../../etc/passwd',
  `../sha256:${hex}`,
  `sha256:${'../'.repeat(21)}a`,
  '__proto__',
] as Digest[]

const odd: readonly (readonly [what: string, ref: string])[] = [
  ['of 4096 bytes', 'x'.repeat(4096)],
  ['of one space', ' '],
  ['with path separators', '../../../../tmp/x'],
  ['that is a dot', '.'],
  ['that is two dots', '..'],
  ['that is a slash', '/'],
  ['with line ends', 'a\nb\r\n'],
  ['with a NUL', 'a\0b'],
  ['beyond ASCII', 'schicht-ü-層-🎉'],
  ['with format verbs and quotes', '%s %d "quoted" \\'],
  ['that names a prototype', '__proto__'],
]

export function badInputTests(create: CreateContentStore, claims: ContentStoreClaims): void {
  describe('odd and bad input', () => {
    const test = subjectTest(create)

    test('B04 refuses malformed digests', async ({ store }) => {
      for (const digest of malformed) {
        await expectCode(store.info(digest), 'invalid_argument')
        await expectCode(collect(store.read(digest)), 'invalid_argument')
        await expectCode(store.update(digest, { merge: { a: '1' } }), 'invalid_argument')
        await expectCode(store.delete(digest), 'invalid_argument')
        await expectCode(store.writer({ ref: 'malformed', expected: digest }), 'invalid_argument')
      }
      expect(await store.statuses()).toEqual([])
    })

    test('B04 refuses a malformed digest at commit and keeps the ingest', async ({ store }) => {
      await using writer = await store.writer({ ref: 'malformed' })
      await writer.write(newBlob(10).bytes)
      await expectCode(writer.commit({ expected: `sha256:${hex}0` }), 'invalid_argument')
      expect(await store.status('malformed')).toMatchObject({ offset: 10 })
    })

    test('D04 refuses an empty ref', async ({ store }) => {
      await expectCode(store.writer({ ref: '' }), 'invalid_argument')
      expect(await store.statuses()).toEqual([])
    })

    test('D04 tells refs apart that differ in case or form only', async ({ store }) => {
      const refs = ['ref', 'Ref', 'ref/', 'ref ', '\u00e9', 'e\u0301']
      for (const [index, ref] of refs.entries()) await interrupt(store, ref, new Uint8Array(index + 1))
      for (const [index, ref] of refs.entries())
        expect(await store.status(ref)).toMatchObject({ ref, offset: index + 1 })
      expect(await store.statuses()).toHaveLength(refs.length)
    })

    for (const [what, ref] of odd) {
      test(`D04 takes a ref ${what}`, async ({ store }) => {
        const blob = newBlob(100)
        await interrupt(store, ref, blob.bytes.subarray(0, 50))
        expect(await store.status(ref)).toMatchObject({ ref, offset: 50 })
        expect((await store.statuses()).map((status) => status.ref)).toEqual([ref])
        await using writer = await store.writer({ ref })
        expect(writer.status()).toMatchObject({ ref, offset: 50 })
        await writer.write(blob.bytes.subarray(50))
        expect((await writer.commit()).digest).toBe(blob.digest)
        await expectCode(store.status(ref), 'not_found')
      })
    }

    subjectTest(create, claims.refLimits)('D04 refuses refs that no store can keep', async ({ store }) => {
      for (const ref of ['x'.repeat(65_536), '層'.repeat(20_000), 'lone \ud800 surrogate'])
        await expectCode(store.writer({ ref }), 'invalid_argument')
      expect(await store.statuses()).toEqual([])
    })
  })
}
