import { digestOf } from '@nsbox/oci'
import { describe, expect } from 'vitest'
import { expectCode } from '../expect-code.ts'
import { subjectTest } from '../subject-test.ts'
import type { CreateLeaseStore } from './subject.ts'

const digest = digestOf('held')

export function holdingTests(create: CreateLeaseStore): void {
  describe('resources', () => {
    const test = subjectTest(create)

    test('are listed by type and id, whether they exist or not', async ({ store }) => {
      await store.create({ id: 'x' })
      expect(await store.resources('x')).toEqual([])
      const resources = [
        { type: 'snapshots/overlayfs', id: 'key 1' },
        { type: 'ingests', id: 'layer-2' },
        { type: 'ingests', id: 'layer-1' },
        { type: 'content', id: digest },
      ]
      for (const resource of resources) await store.addResource('x', resource)
      expect(await store.resources('x')).toEqual(resources.reverse())
    })

    test('are held once, however often they are added', async ({ store }) => {
      await store.create({ id: 'x' })
      const resource = { type: 'content', id: digest }
      await store.addResource('x', resource)
      await store.addResource('x', resource)
      expect(await store.resources('x')).toEqual([resource])
      await store.deleteResource('x', resource)
      expect(await store.resources('x')).toEqual([])
    })

    test('can be let go of without having been held', async ({ store }) => {
      await store.create({ id: 'x' })
      await store.deleteResource('x', { type: 'content', id: digest })
      await store.deleteResource('x', { type: 'ingests', id: 'layer' })
      await store.deleteResource('x', { type: 'snapshots/native', id: 'key' })
    })

    test('are those of their lease only', async ({ store }) => {
      for (const id of ['x', 'y']) {
        await store.create({ id })
        await store.addResource(id, { type: 'ingests', id: `of ${id}` })
      }
      expect(await store.resources('x')).toEqual([{ type: 'ingests', id: 'of x' }])
      await store.delete('x')
      expect(await store.resources('y')).toEqual([{ type: 'ingests', id: 'of y' }])
      await store.create({ id: 'x' })
      expect(await store.resources('x')).toEqual([])
    })

    test('need a lease', async ({ store }) => {
      const resource = { type: 'content', id: digest }
      await expectCode(store.addResource('x', resource), 'not_found')
      await expectCode(store.deleteResource('x', resource), 'not_found')
      await expectCode(store.resources('x'), 'not_found')
    })

    test('are of known types', async ({ store }) => {
      await store.create({ id: 'x' })
      for (const type of ['', 'contents', 'containers', '__proto__', 'snapshot/overlayfs']) {
        await expectCode(store.addResource('x', { type, id: digest }), 'unimplemented')
        await expectCode(store.deleteResource('x', { type, id: digest }), 'unimplemented')
      }
      expect(await store.resources('x')).toEqual([])
    })

    test('are well-formed', async ({ store }) => {
      await store.create({ id: 'x' })
      for (const resource of [
        { type: 'snapshots', id: 'key' },
        { type: 'snapshots/overlayfs/type1', id: 'key' },
        { type: 'content', id: 'no digest' },
        { type: 'content', id: `${digest}0` },
        { type: 'content/x', id: digest },
        { type: 'ingests/x', id: 'layer' },
      ]) {
        await expectCode(store.addResource('x', resource), 'invalid_argument')
        await expectCode(store.deleteResource('x', resource), 'invalid_argument')
      }
      expect(await store.resources('x')).toEqual([])
    })
  })
}
