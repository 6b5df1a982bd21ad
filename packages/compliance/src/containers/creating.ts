import type { NewContainer, OpaqueValue } from '@nsbox/core/containers'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { ContainerStoreClaims } from './claims.ts'
import { bare, listed, opaque, plain, whole } from './made-containers.ts'
import type { CreateContainerStore } from './subject.ts'

const bad: readonly (readonly [what: string, container: NewContainer, text: string])[] = [
  ['without an id', bare(''), 'container.ID: identifier must not be empty'],
  ['whose id is no identifier', bare('../x'), 'container.ID: identifier "../x" must match'],
  ['whose id is too long', bare('x'.repeat(77)), 'greater than maximum length (76 characters)'],
  ['without a runtime', bare('x', { runtime: { name: '' } }), 'container.Runtime.Name must be set'],
  [
    'with a snapshot of no snapshotter',
    bare('x', { snapshotKey: 'key' }),
    'container.Snapshotter must be set if container.SnapshotKey is set',
  ],
  [
    'with an extension without a name',
    bare('x', { extensions: { '': opaque('x') } }),
    'container.Extension keys must not be zero-length',
  ],
  [
    'D05 with a label that is too long',
    bare('x', { labels: { k: 'v'.repeat(4096) } }),
    'containers.Labels: label key and value length (4097 bytes) greater than maximum size (4096 bytes), key: k',
  ],
]

export function creatingTests(create: CreateContainerStore, claims: ContainerStoreClaims): void {
  describe('creating', () => {
    const test = subjectTest(create)

    test('keeps all of it, byte for byte', async ({ store }) => {
      const before = Date.now()
      const created = await store.create(whole('x'))
      const { createdAt, updatedAt, ...rest } = plain(created)
      expect(rest).toEqual(whole('x'))
      expect(createdAt.epochMilliseconds).toBeGreaterThanOrEqual(before - 1000)
      expect(updatedAt.epochMicroseconds).toBeGreaterThanOrEqual(createdAt.epochMicroseconds)
      expect(plain(await store.get('x'))).toEqual(plain(created))
    })

    test('takes what is absent for empty', async ({ store }) => {
      await store.create(bare('x'))
      const { createdAt, updatedAt, ...rest } = plain(await store.get('x'))
      expect(rest).toEqual({
        ...bare('x'),
        labels: {},
        image: '',
        snapshotter: '',
        snapshotKey: '',
        extensions: {},
        sandbox: '',
      })
    })

    test('keeps values without a type or without bytes as they are', async ({ store }) => {
      const none = new Uint8Array()
      await store.create(
        bare('x', {
          runtime: { name: 'r', options: { typeUrl: '', value: none } },
          spec: { typeUrl: '', value: Uint8Array.of(1) },
          extensions: { typed: { typeUrl: 'a.B', value: none }, constructor: opaque('c') },
        }),
      )
      const { runtime, spec, extensions } = plain(await store.get('x'))
      expect(runtime).toEqual({ name: 'r', options: { typeUrl: '', value: none } })
      expect(spec).toEqual({ typeUrl: '', value: Uint8Array.of(1) })
      expect(extensions).toEqual({ typed: { typeUrl: 'a.B', value: none }, constructor: opaque('c') })
    })

    test('keeps a large spec', async ({ store }) => {
      const value = new Uint8Array(1024 * 1024).map((_, index) => index * 31)
      await store.create(bare('x', { spec: { typeUrl: 'large', value } }))
      const { spec } = await store.get('x')
      expect(Buffer.compare(spec.value, value)).toBe(0)
    })

    test('keeps no labels with empty values', async ({ store }) => {
      await store.create(bare('x', { labels: { a: '', constructor: '1' } }))
      expect({ ...(await store.get('x')).labels }).toEqual({ constructor: '1' })
    })

    test('takes any identifier for an id', async ({ store }) => {
      const ids = ['constructor', 'a.b-c_d', '0', 'X'.repeat(76)]
      for (const id of ids) await store.create(bare(id))
      expect(await listed(store)).toEqual([...ids].sort())
    })

    test('refuses an id that is taken and leaves its container as it is', async ({ store }) => {
      const first = await store.create(whole('x'))
      await expectCode(store.create(bare('x')), 'already_exists', 'container "x"')
      expect(plain(await store.get('x'))).toEqual(plain(first))
    })

    for (const [what, container, text] of bad) {
      test(`refuses a container ${what}`, async ({ store }) => {
        await expectCode(store.create(container), 'invalid_argument', text)
        expect(await listed(store)).toEqual([])
      })
    }

    subjectTest(create, claims.demandsSpec)('refuses a container without a spec', async ({ store }) => {
      const container = { ...bare('x'), spec: undefined as unknown as OpaqueValue }
      await expectCode(store.create(container), 'invalid_argument', 'container.Spec must be set')
      expect(await listed(store)).toEqual([])
    })

    subjectTest(create, claims.limits)('D05 refuses more than allowed', async ({ store }) => {
      const many = (count: number) => Array.from({ length: count }, (_, index) => `number ${index}`)
      const labels = Object.fromEntries(many(16_385).map((name) => [name, 'x']))
      await expectCode(store.create(bare('x', { labels })), 'invalid_argument')
      const extensions = Object.fromEntries(many(1025).map((name) => [name, opaque('x')]))
      await expectCode(store.create(bare('x', { extensions })), 'invalid_argument')
      const spec = { typeUrl: 'large', value: new Uint8Array(12 * 1024 * 1024) }
      await expectCode(store.create(bare('x', { spec })), 'invalid_argument')
      expect(await listed(store)).toEqual([])
    })

    subjectTest(create, claims.limits)(
      'D05 lets no container grow beyond what one message can carry',
      async ({ store }) => {
        const part = { typeUrl: 'large', value: new Uint8Array(4 * 1024 * 1024) }
        await store.create(bare('x', { spec: part, extensions: { first: part } }))
        const change = { id: 'x', extensions: { second: part } }
        await expectCode(store.update(change, ['extensions.second']), 'invalid_argument')
        expect(Object.keys((await store.get('x')).extensions)).toEqual(['first'])
      },
    )

    test('lets one of many have an id that is created at once', async ({ store }) => {
      const outcomes = await Promise.allSettled(
        ['a', 'b', 'c', 'd'].map((image) => store.create(bare('x', { image }))),
      )
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') await expectCode(Promise.reject(outcome.reason), 'already_exists')
      }
    })

    test('does nothing for a caller who has given up already', async ({ store }) => {
      const reason = new Error('the caller gave up')
      const signal = AbortSignal.abort(reason)
      const kept = await store.create(whole('kept'))
      await expect(store.create(bare('x'), { signal })).rejects.toBe(reason)
      await expect(store.get('kept', { signal })).rejects.toBe(reason)
      const listing = async () => {
        for await (const { id } of store.list([], { signal })) expect.unreachable(id)
      }
      await expect(listing()).rejects.toBe(reason)
      await expect(store.update(whole('kept', { image: 'y' }), ['image'], { signal })).rejects.toBe(reason)
      await expect(store.delete('kept', { signal })).rejects.toBe(reason)
      expect(await listed(store)).toEqual(['kept'])
      expect(plain(await store.get('kept'))).toEqual(plain(kept))
    })
  })
}
