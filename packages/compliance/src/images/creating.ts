import type { NewImage } from '@nsbox/core/images'
import type { Digest } from '@nsbox/oci'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { ImageStoreClaims } from './claims.ts'
import { plain, target } from './made-images.ts'
import type { CreateImageStore } from './subject.ts'

const odd = [' ', 'a/../b', 'not a reference!', '__proto__', 'constructor', 'schicht-ü-層', 'x'.repeat(3000)]

const bad: readonly (readonly [what: string, image: NewImage])[] = [
  ['without a name', { name: '', target: target('a') }],
  ['without a media type', { name: 'x', target: target('a', { mediaType: '' }) }],
  ['of no size', { name: 'x', target: target('a', { size: 0 }) }],
  ['B03 of a size below zero', { name: 'x', target: target('a', { size: -1 }) }],
  ['B04 with a malformed digest', { name: 'x', target: target('a', { digest: 'sha256:../../x' as Digest }) }],
  ['without a digest', { name: 'x', target: target('a', { digest: '' as Digest }) }],
  ['D05 with a label that is too long', { name: 'x', target: target('a'), labels: { k: 'v'.repeat(4096) } }],
]

export function creatingTests(create: CreateImageStore, claims: ImageStoreClaims): void {
  describe('creating', () => {
    const test = subjectTest(create)

    test('keeps name, target and labels', async ({ store }) => {
      const labels = { a: '1', 'containerd.io/x.y': 'ä = "2"', constructor: 'c' }
      const annotations = { 'org.opencontainers.image.title': 'title' }
      const before = Date.now()
      const created = await store.create({
        name: 'docker.io/x:1',
        target: target('a', { annotations }),
        labels,
      })
      expect(plain(created)).toMatchObject({
        name: 'docker.io/x:1',
        target: target('a', { annotations }),
        labels,
      })
      expect(created.createdAt.epochMilliseconds).toBeGreaterThanOrEqual(before - 1000)
      expect(created.updatedAt.epochMicroseconds).toBeGreaterThanOrEqual(created.createdAt.epochMicroseconds)
      expect(plain(await store.get('docker.io/x:1'))).toEqual(plain(created))
    })

    test('keeps no labels with empty values', async ({ store }) => {
      await store.create({ name: 'x', target: target('a'), labels: { a: '', b: '1' } })
      expect({ ...(await store.get('x')).labels }).toEqual({ b: '1' })
    })

    test('takes any text for a name', async ({ store }) => {
      for (const name of odd) await store.create({ name, target: target(name) })
      for (const name of odd) expect((await store.get(name)).target.digest).toBe(target(name).digest)
      expect(await store.list()).toHaveLength(odd.length)
    })

    test('refuses a name that is taken and leaves its image as it is', async ({ store }) => {
      const first = await store.create({ name: 'x', target: target('a'), labels: { a: '1' } })
      await expectCode(store.create({ name: 'x', target: target('b') }), 'already_exists')
      expect(plain(await store.get('x'))).toEqual(plain(first))
    })

    for (const [what, image] of bad) {
      test(`refuses an image ${what}`, async ({ store }) => {
        await expectCode(store.create(image), 'invalid_argument')
        expect(await store.list()).toEqual([])
      })
    }

    subjectTest(create, claims.labelCountLimit)('D05 refuses more labels than allowed', async ({ store }) => {
      const labels = Object.fromEntries(Array.from({ length: 16_385 }, (_, index) => [`label-${index}`, 'x']))
      await expectCode(store.create({ name: 'x', target: target('a'), labels }), 'invalid_argument')
      expect(await store.list()).toEqual([])
    })

    test('lets one of many have a name that is created at once', async ({ store }) => {
      const outcomes = await Promise.allSettled(
        ['a', 'b', 'c', 'd'].map((seed) => store.create({ name: 'x', target: target(seed) })),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') await expectCode(Promise.reject(outcome.reason), 'already_exists')
      }
    })

    test('does nothing for a caller who has given up already', async ({ store }) => {
      const reason = new Error('the caller gave up')
      const signal = AbortSignal.abort(reason)
      await store.create({ name: 'kept', target: target('a') })
      await expect(store.create({ name: 'x', target: target('a') }, { signal })).rejects.toBe(reason)
      await expect(store.get('kept', { signal })).rejects.toBe(reason)
      await expect(store.list([], { signal })).rejects.toBe(reason)
      await expect(store.update('kept', { labels: { merge: { a: '1' } } }, { signal })).rejects.toBe(reason)
      await expect(store.delete('kept', { signal })).rejects.toBe(reason)
      expect((await store.list()).map((image) => [image.name, { ...image.labels }])).toEqual([['kept', {}]])
    })
  })
}
