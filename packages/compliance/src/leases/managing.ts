import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { LeaseStoreClaims } from './claims.ts'
import type { CreateLeaseStore } from './subject.ts'

/** Far enough away that no collection ends a lease of a test. */
const later = '2100-01-01T00:00:00Z'

export function managingTests(create: CreateLeaseStore, claims: LeaseStoreClaims): void {
  describe('leases', () => {
    const test = subjectTest(create)

    test('keep their id and labels', async ({ store }) => {
      const labels = { a: '1', 'containerd.io/gc.expire': later, 'containerd.io/gc.flat': 'true' }
      const before = Date.now()
      const lease = await store.create({ id: 'mine', labels })
      expect({ ...lease, labels: { ...lease.labels } }).toMatchObject({ id: 'mine', labels })
      expect(lease.createdAt.epochMilliseconds).toBeGreaterThanOrEqual(before - 1000)
      const listed = await store.list()
      expect(listed.map((found) => ({ ...found, labels: { ...found.labels } }))).toEqual([
        { ...lease, labels },
      ])
    })

    test('get an id of their own if none is given', async ({ store }) => {
      const ids = [(await store.create()).id, (await store.create({ labels: { a: '1' } })).id]
      for (const id of ids) expect(id).toMatch(/^\d+-[A-Za-z0-9_-]{4}$/)
      expect(new Set(ids).size).toBe(2)
      expect((await store.list()).map(({ id }) => id)).toEqual(ids.sort())
    })

    test('have ids of their own', async ({ store }) => {
      await store.create({ id: 'x', labels: { a: '1' } })
      await expectCode(store.create({ id: 'x' }), 'already_exists')
      expect((await store.list()).map(({ id, labels }) => [id, { ...labels }])).toEqual([['x', { a: '1' }]])
    })

    test('have any text for an id', async ({ store }) => {
      const odd = ['__proto__', 'a/b', 'schicht ü', 'constructor']
      for (const id of odd) await store.create({ id })
      expect((await store.list()).map(({ id }) => id)).toEqual(odd.sort())
      for (const id of odd) await store.delete(id)
      expect(await store.list()).toEqual([])
    })

    subjectTest(create, claims.labelRules)('need an expiry that is a time, if any', async ({ store }) => {
      for (const time of [
        'tomorrow',
        '2026-11-24',
        '1700000000',
        '2026-13-01T00:00:00Z',
        '2026-11-24T00:00:00',
      ]) {
        await expectCode(store.create({ labels: { 'containerd.io/gc.expire': time } }), 'invalid_argument')
      }
      expect(await store.list()).toEqual([])
      for (const time of [later, '2100-01-01T00:00:00.123456789+01:00']) {
        await store.create({ labels: { 'containerd.io/gc.expire': time } })
      }
    })

    subjectTest(create, claims.labelRules)('D05 have labels within the limits', async ({ store }) => {
      await expectCode(store.create({ labels: { k: 'v'.repeat(4096) } }), 'invalid_argument')
      const many = Object.fromEntries(Array.from({ length: 16_385 }, (_, index) => [`label-${index}`, 'x']))
      await expectCode(store.create({ labels: many }), 'invalid_argument')
      expect(await store.list()).toEqual([])
    })

    test('are found by filters, in the order of their ids', async ({ store }) => {
      for (const [id, mark] of [
        ['c', 'yes'],
        ['a', 'no'],
        ['b', 'yes'],
      ] as const) {
        await store.create({ id, labels: { 'x.mark': mark } })
      }
      const ids = async (...filters: string[]) => (await store.list(filters)).map(({ id }) => id)
      expect(await ids()).toEqual(['a', 'b', 'c'])
      expect(await ids('id==b')).toEqual(['b'])
      expect(await ids('labels."x.mark"==yes')).toEqual(['b', 'c'])
      expect(await ids('id~=/[ab]/,labels."x.mark"==yes')).toEqual(['b'])
      expect(await ids('id==a', 'id==c')).toEqual(['a', 'c'])
      expect(await ids('labels.none')).toEqual([])
      await expectCode(store.list(['id==']), 'invalid_argument')
    })

    for (const sync of [false, true]) {
      test(`end${sync ? ', and the caller waits for the collection' : ''}`, async ({ store }) => {
        await store.create({ id: 'x' })
        await store.create({ id: 'y' })
        await store.delete('x', { sync })
        expect((await store.list()).map(({ id }) => id)).toEqual(['y'])
        await expectCode(store.delete('x', { sync }), 'not_found')
      })
    }

    test('do nothing for a caller who has given up already', async ({ store }) => {
      const reason = new Error('the caller gave up')
      const signal = AbortSignal.abort(reason)
      const resource = { type: 'images', id: 'x' }
      await store.create({ id: 'kept' })
      await expect(store.create({ id: 'x' }, { signal })).rejects.toBe(reason)
      await expect(store.list([], { signal })).rejects.toBe(reason)
      await expect(store.addResource('kept', resource, { signal })).rejects.toBe(reason)
      await expect(store.deleteResource('kept', resource, { signal })).rejects.toBe(reason)
      await expect(store.resources('kept', { signal })).rejects.toBe(reason)
      await expect(store.delete('kept', { signal })).rejects.toBe(reason)
      expect((await store.list()).map(({ id }) => id)).toEqual(['kept'])
      expect(await store.resources('kept')).toEqual([])
    })
  })
}
