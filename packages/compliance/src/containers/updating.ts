import type { NewContainer } from '@nsbox/core/containers'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { ContainerStoreClaims } from './claims.ts'
import { bare, opaque, plain, whole } from './made-containers.ts'
import type { CreateContainerStore } from './subject.ts'

/** Differs from `whole` in everything that can change. */
const other = whole('x', {
  labels: { a: '9', e: '5', f: '' },
  image: 'other image',
  spec: opaque('other spec', 9),
  snapshotKey: 'other snapshot',
  extensions: { other: opaque('example.Other', 9), third: opaque('example.Third', 9) },
})

const single: readonly (readonly [path: string, change: Partial<NewContainer>])[] = [
  ['labels', { labels: { a: '9', e: '5' } }],
  ['labels.a', { labels: { ...whole('x').labels, a: '9' } }],
  ['labels.e', { labels: { ...whole('x').labels, e: '5' } }],
  ['labels.b.c/d', { labels: { a: '1' } }],
  ['labels.f', {}],
  ['labels.absent', {}],
  ['image', { image: 'other image' }],
  ['spec', { spec: other.spec }],
  ['snapshotkey', { snapshotKey: 'other snapshot' }],
  ['extensions.other', { extensions: { ...whole('x').extensions, other: opaque('example.Other', 9) } }],
  ['extensions.third', { extensions: { ...whole('x').extensions, third: opaque('example.Third', 9) } }],
]

const unknown = [
  ...['id', 'runtime', 'runtime.name', 'snapshotter', 'snapshot_key', 'snapshotKey', 'sandbox', 'created_at'],
  ...['', 'label', 'spec.value', 'constructor'],
]

export function updatingTests(create: CreateContainerStore, claims: ContainerStoreClaims): void {
  describe('updating', () => {
    const test = subjectTest(create)
    const removal = subjectTest(create, claims.extensionRemoval)

    for (const [path, change] of single) {
      test(`takes ${path}, and nothing else`, async ({ store }) => {
        const created = await store.create(whole('x'))
        const updated = await store.update(other, [path])
        const { updatedAt, ...rest } = plain(updated)
        expect(rest).toEqual({ ...whole('x'), createdAt: created.createdAt, ...change })
        expect(updatedAt.epochMicroseconds).toBeGreaterThan(created.updatedAt.epochMicroseconds)
        expect(plain(await store.get('x'))).toEqual(plain(updated))
      })
    }

    test('needs no more of the container than what the paths name', async ({ store }) => {
      await store.create(whole('x'))
      const change = { id: 'x', image: 'y' }
      expect(plain(await store.update(change, ['image']))).toMatchObject(whole('x', { image: 'y' }))
      expect(plain(await store.update({ id: 'x' }, ['image', 'snapshotkey']))).toMatchObject(
        whole('x', { image: '', snapshotKey: '' }),
      )
    })

    test('takes several paths, the later one over the earlier', async ({ store }) => {
      await store.create(whole('x'))
      const { labels, image } = await store.update(other, ['labels.b.c/d', 'labels', 'labels.a', 'image'])
      expect({ ...labels }).toEqual({ a: '9', e: '5' })
      expect(image).toBe('other image')
    })

    test('takes everything that can change without paths', async ({ store }) => {
      const { createdAt } = await store.create(whole('x', { extensions: { other: opaque('o') } }))
      const { updatedAt, ...rest } = plain(await store.update(other))
      expect(rest).toEqual({ ...other, labels: { a: '9', e: '5' }, createdAt })
    })

    test('takes a container that was read and changed', async ({ store }) => {
      const created = await store.create(whole('x'))
      const { updatedAt, ...rest } = plain(await store.update({ ...(await store.get('x')), image: 'y' }))
      expect(rest).toEqual({ ...whole('x'), image: 'y', createdAt: created.createdAt })
    })

    test('leaves runtime options and sandbox as they are without paths', async ({ store }) => {
      await store.create(whole('x'))
      const { runtime } = whole('x')
      const changed = { ...whole('x'), runtime: { name: runtime.name, options: opaque('y') }, sandbox: 'y' }
      expect(plain(await store.update(changed))).toMatchObject({ runtime, sandbox: 'pod' })
    })

    removal('takes away extensions that are not given', async ({ store }) => {
      await store.create(whole('x'))
      const names = async () => Object.keys((await store.get('x')).extensions).sort()
      await store.update(whole('x', { extensions: {} }), ['extensions.other'])
      expect(await names()).toEqual(['some/extension'])
      await store.update(other, ['extensions'])
      expect(await names()).toEqual(['other', 'third'])
      await store.update(whole('x', { extensions: {}, labels: {} }))
      expect(await names()).toEqual([])
    })

    for (const [what, change, field] of [
      ['snapshotter', { snapshotter: 'native' }, 'container.Snapshotter'],
      ['snapshotter to none', { snapshotter: '' }, 'container.Snapshotter'],
      ['runtime', { runtime: { name: 'other' } }, 'container.Runtime.Name'],
    ] as const) {
      test(`refuses to change the ${what}`, async ({ store }) => {
        const created = await store.create(whole('x'))
        await expectCode(
          store.update({ ...other, ...change }),
          'invalid_argument',
          `${field} field is immutable`,
        )
        expect(plain(await store.get('x'))).toEqual(plain(created))
      })
    }

    for (const path of unknown) {
      test(`refuses the path "${path}", and what others name`, async ({ store }) => {
        const created = await store.create(whole('x'))
        await expectCode(
          store.update(other, ['image', path]),
          'invalid_argument',
          `cannot update "${path}" field on "x"`,
        )
        expect(plain(await store.get('x'))).toEqual(plain(created))
      })
    }

    test('refuses what creating refuses and leaves the container as it is', async ({ store }) => {
      const created = await store.create(bare('x'))
      for (const [change, path, text] of [
        [{ labels: { k: 'v'.repeat(4096) } }, 'labels', 'containers.Labels: '],
        [{ labels: { k: 'v'.repeat(4096) } }, 'labels.k', 'containers.Labels: '],
        [{ extensions: { '': opaque('x') } }, 'extensions.', 'container.Extension keys'],
        [{ snapshotKey: 'y' }, 'snapshotkey', 'container.Snapshotter must be set'],
      ] as const) {
        await expectCode(store.update(bare('x', change), [path]), 'invalid_argument', text)
      }
      expect(plain(await store.get('x'))).toEqual(plain(created))
    })

    subjectTest(create, claims.demandsSpec)('refuses to take away the spec', async ({ store }) => {
      const created = await store.create(whole('x'))
      const without = { ...whole('x'), spec: undefined }
      await expectCode(store.update(without, ['spec']), 'invalid_argument', 'container.Spec must be set')
      await expectCode(store.update(without), 'invalid_argument', 'container.Spec must be set')
      expect(plain(await store.get('x'))).toEqual(plain(created))
    })

    test('knows nothing of a container that does not exist', async ({ store }) => {
      await expectCode(store.update(bare('x')), 'not_found')
      await store.create(bare('y'))
      await expectCode(store.update(bare('x'), ['image']), 'not_found', 'container "x"')
      await expectCode(store.update(bare('')), 'invalid_argument')
    })
  })
}
