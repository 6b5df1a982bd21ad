import { errorCode } from '@nsbox/errors'
import { digestOf } from '@nsbox/oci'
import { describe, expect, test } from 'vitest'
import { withSubject } from './testing/collector-subject.ts'

describe('a sandbox', () => {
  test('keeps what its labels name until it is deleted', () =>
    withSubject(async (subject) => {
      const { sandboxes } = subject.ns
      const digest = await subject.blob('a')
      const other = await subject.blob('b')
      await sandboxes.create({ id: 'x', labels: { 'containerd.io/gc.ref.content': digest } })
      await subject.metadata.collect()
      expect(await subject.files()).toEqual([digestOf('a')])
      expect(other).toBe(digestOf('b'))
      await sandboxes.update({ id: 'x', labels: {} }, ['labels'])
      await subject.metadata.collect()
      expect(await subject.files()).toEqual([])
      await sandboxes.update(
        { id: 'x', labels: { 'containerd.io/gc.ref.content': await subject.blob('c') } },
        ['labels'],
      )
      await subject.metadata.collect()
      expect(await subject.files()).toEqual([digestOf('c')])
      await sandboxes.delete('x')
      await subject.metadata.collect()
      expect(await subject.files()).toEqual([])
    }))

  test('goes with its namespace, and does not keep it', () =>
    withSubject(async ({ metadata, ns }) => {
      await ns.sandboxes.create({ id: 'x', extensions: { e: { typeUrl: 't', value: new Uint8Array([1]) } } })
      await metadata.namespaces.delete('ns')
      expect(await ns.sandboxes.get('x').catch(errorCode)).toBe('not_found')
    }))

  test('has bounds on its labels, extensions and size', () =>
    withSubject(async ({ ns: { sandboxes } }) => {
      const value = new Uint8Array(0)
      const many = Object.fromEntries(
        Array.from({ length: 1025 }, (_, at) => [`e${at}`, { typeUrl: 't', value }]),
      )
      for (const more of [
        { labels: { long: 'x'.repeat(5000) } },
        { extensions: { '': { typeUrl: 't', value } } },
        { extensions: many },
        { spec: { typeUrl: 't', value: new Uint8Array(12 * 1024 * 1024) } },
      ])
        expect(await sandboxes.create({ id: 'x', ...more }).catch(errorCode)).toBe('invalid_argument')
      await sandboxes.create({ id: 'x' })
      const labels = { long: 'x'.repeat(5000) }
      expect(await sandboxes.update({ id: 'x', labels }, ['labels']).catch(errorCode)).toBe(
        'invalid_argument',
      )
      expect((await sandboxes.get('x')).labels).toEqual({})
    }))
})
