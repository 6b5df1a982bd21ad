import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openContentStore } from '@nsbox/content'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { openMetadata } from '../open-metadata.ts'
import { never, withSubject } from '../testing/collector-subject.ts'

describe('when the collector runs', () => {
  test('deleting with `sync` has collected when it returns', () =>
    withSubject(async (subject) => {
      const { images, leases } = subject.ns
      await subject.image('x', await subject.blob('a'))
      await leases.create({ id: 'l' })
      await leases.addResource('l', { type: 'content', id: await subject.blob('b') })
      await images.delete('x', { sync: true })
      expect(await subject.files()).toEqual([digestOf('b')])
      await leases.delete('l', { sync: true })
      expect(await subject.files()).toEqual([])
    }))

  test('soon after a deletion, by itself', () =>
    withSubject(
      async (subject) => {
        await subject.metadata.collect()
        await subject.ns.leases.create({ id: 'l' })
        const leased = subject.metadata.namespace('ns', { lease: 'l' })
        const writer = await leased.content.writer({ ref: 'x' })
        await writer.write(Buffer.from('a'))
        await subject.image('x', (await writer.commit()).digest)
        await subject.ns.leases.delete('l')
        await setTimeout(200)
        expect(await subject.files()).toHaveLength(1)
        await subject.ns.images.delete('x')
        await expect.poll(() => subject.files()).toEqual([])
      },
      { collector: {} },
    ))

  test('after enough other changes, by itself', () =>
    withSubject(
      async (subject) => {
        await subject.metadata.collect()
        await subject.blob('a')
        await setTimeout(100)
        expect(await subject.files()).toHaveLength(1)
        for (let i = 0; i < 20; i++) await subject.metadata.namespaces.create({ name: `n${i}` })
        await expect.poll(() => subject.files()).toEqual([])
      },
      { collector: { startupDelay: 3_600_000, mutationThreshold: 20 } },
    ))

  test('collections asked for together are one, and one that runs already does not count', () =>
    withSubject(async (subject) => {
      const running = subject.metadata.collect()
      // It has begun: a request in the same turn would join it.
      await Promise.resolve()
      const results = await Promise.all([subject.metadata.collect(), subject.metadata.collect()])
      expect(results[0]).toBe(results[1])
      expect(await running).not.toBe(results[0])
    }))

  test('an abort ends the waiting', () =>
    withSubject(async (subject) => {
      const reason = new Error('the caller gave up')
      await expect(subject.metadata.collect({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      const controller = new AbortController()
      const collection = subject.metadata.collect({ signal: controller.signal })
      controller.abort(reason)
      await expect(collection).rejects.toBe(reason)
    }))

  test('in batches, if there is much to collect', async () => {
    let time = Date.now()
    const labels = { 'containerd.io/gc.expire': new Date(time + 60_000).toISOString() }
    await withSubject(
      async (subject) => {
        await subject.blob('a')
        for (let i = 0; i < 2500; i++) await subject.ns.leases.create({ id: `l${i}`, labels })
        time += 60_000
        expect(await subject.metadata.collect()).toMatchObject({ leases: 2500, content: 1 })
      },
      { now: () => time },
    )
  })

  test('a lease that expires while nothing happens wakes the collector', () =>
    withSubject(
      async (subject) => {
        const { leases } = subject.ns
        const a = await subject.blob('a')
        const soon = Date.now() + 1000
        const labels = { 'containerd.io/gc.expire': new Date(soon).toISOString() }
        await leases.create({ id: 'l', labels })
        await leases.addResource('l', { type: 'content', id: a })
        await expect.poll(() => subject.files()).toEqual([])
        expect(Date.now()).toBeGreaterThanOrEqual(soon)
        expect(await leases.list()).toEqual([])
      },
      { collector: {} },
    ))

  test('held across a restart, a lease wakes the collector of the next process', async () => {
    await using directory = await tempDir('nsbox-collector')
    await using backend = await openContentStore({ root: join(directory.path, 'content') })
    const options = { path: join(directory.path, 'metadata.db'), content: backend }
    const soon = Date.now() + 1000
    {
      await using metadata = await openMetadata({ ...options, collector: never })
      const labels = { 'containerd.io/gc.expire': new Date(soon).toISOString() }
      await metadata.namespace('ns').leases.create({ id: 'l', labels })
    }
    await using metadata = await openMetadata({ ...options, collector: { startupDelay: 0 } })
    const list = async () => (await metadata.namespace('ns').leases.list()).length
    await expect.poll(list).toBe(0)
    expect(Date.now()).toBeGreaterThanOrEqual(soon)
  })
})
