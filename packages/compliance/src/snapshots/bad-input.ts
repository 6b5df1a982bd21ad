import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { SnapshotterClaims } from './claims.ts'
import { names, tree } from './layers.ts'
import type { CreateSnapshotter } from './subject.ts'

const odd: readonly (readonly [what: string, key: string])[] = [
  ['of 4096 bytes', 'x'.repeat(4096)],
  ['of one space', ' '],
  ['with path separators', '../../../../tmp/x'],
  ['that is absolute', '/etc/passwd'],
  ['that is two dots', '..'],
  ['that is a number', '1'],
  ['with what parts mount options', 'a,b:c=d\\e'],
  ['with line ends', 'a\nb\r\n'],
  ['with a NUL', 'a\0b'],
  ['beyond ASCII', 'schicht-ü-層-🎉'],
  ['with wildcards and quotes', '%_*"\''],
  ['that names a prototype', '__proto__'],
]

export function badInputTests(create: CreateSnapshotter, claims: SnapshotterClaims): void {
  describe('odd and bad input', () => {
    const test = subjectTest(create)

    for (const [what, key] of odd) {
      test(`D04 takes a key ${what}`, async ({ snapshotter, withMounts }) => {
        await withMounts(await snapshotter.prepare(key, undefined), (path) =>
          writeFile(join(path, 'file'), 'x'),
        )
        expect(await snapshotter.stat(key)).toMatchObject({ name: key, kind: 'active' })
        await snapshotter.commit('name', key)
        await snapshotter.prepare('other', 'name')
        await snapshotter.remove('other')
        await snapshotter.prepare('key', 'name')
        const committed = `${key.slice(1)}!`
        await snapshotter.commit(committed, 'key')
        expect(await withMounts(await snapshotter.view(key, committed), tree)).toEqual({ file: 'x' })
        expect(await snapshotter.stat(key)).toMatchObject({ name: key, parent: committed })
        await snapshotter.remove(key)
        expect((await names(snapshotter)).sort()).toEqual([committed, 'name'].sort())
      })
    }

    test('D04 tells keys apart that differ in case or form only', async ({ snapshotter, withMounts }) => {
      const keys = ['key', 'Key', 'key/', 'key ', 'key\0', '\u00e9', 'e\u0301']
      for (const key of keys)
        await withMounts(await snapshotter.prepare(key, undefined), (path) =>
          writeFile(join(path, 'file'), key),
        )
      for (const key of keys)
        expect(await withMounts(await snapshotter.mounts(key), tree)).toEqual({ file: key })
      expect(await names(snapshotter)).toHaveLength(keys.length)
    })

    test('D04 refuses an empty key and an empty name', async ({ snapshotter }) => {
      await expectCode(snapshotter.prepare('', undefined), 'invalid_argument')
      await expectCode(snapshotter.view('', undefined), 'invalid_argument')
      await snapshotter.prepare('key', undefined)
      await expectCode(snapshotter.commit('', 'key'), 'invalid_argument')
      expect(await names(snapshotter)).toEqual(['key'])
    })

    test('D04 refuses keys that cannot be kept', async ({ snapshotter }) => {
      const bad = ['x'.repeat(4097), '層'.repeat(2000), 'lone \ud800 surrogate']
      await snapshotter.prepare('key', undefined)
      for (const key of bad) {
        await expectCode(snapshotter.prepare(key, undefined), 'invalid_argument')
        await expectCode(snapshotter.view(key, undefined), 'invalid_argument')
        await expectCode(snapshotter.commit(key, 'key'), 'invalid_argument')
      }
      expect(await names(snapshotter)).toEqual(['key'])
    })

    subjectTest(create, claims.labelCountLimit)(
      'D05 refuses more labels than allowed',
      async ({ snapshotter }) => {
        await snapshotter.prepare('key', undefined)
        const labels = Object.fromEntries(Array.from({ length: 12_000 }, (_, index) => [`${index}`, 'x']))
        await expectCode(snapshotter.update('key', { merge: labels }), 'invalid_argument')
        expect({ ...(await snapshotter.stat('key')).labels }).toEqual({})
      },
    )
  })

  describe('cancelling', () => {
    const test = subjectTest(create)

    test('does nothing once a signal is aborted', async ({ snapshotter }) => {
      const signal = AbortSignal.abort()
      await snapshotter.prepare('key', undefined)
      const calls = [
        snapshotter.stat('key', { signal }),
        snapshotter.usage('key', { signal }),
        snapshotter.mounts('key', { signal }),
        snapshotter.prepare('other', undefined, { signal }),
        snapshotter.view('other', undefined, { signal }),
        snapshotter.commit('name', 'key', { signal }),
        snapshotter.remove('key', { signal }),
        snapshotter.update('key', { merge: { a: '1' } }, { signal }),
        snapshotter.cleanup({ signal }),
        (async () => {
          for await (const _ of snapshotter.list([], { signal })) throw new Error('listed')
        })(),
      ]
      for (const call of calls) await expectCode(call, 'canceled')
      expect(await names(snapshotter)).toEqual(['key'])
      expect({ ...(await snapshotter.stat('key')).labels }).toEqual({})
    })
  })
}
