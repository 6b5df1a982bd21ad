import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { openContentStore } from '@nsbox/content'
import { errorCode } from '@nsbox/errors'
import { digestOf } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { openMetadata } from '../open-metadata.ts'
import { never, Subject, withSubject } from '../testing/collector-subject.ts'

describe('the backend', () => {
  test('loses what an earlier process left between file and row', async () => {
    await using directory = await tempDir('nsbox-collector')
    await using backend = await openContentStore({ root: join(directory.path, 'content') })
    const options = { path: join(directory.path, 'metadata.db'), content: backend, collector: never }
    {
      await using metadata = await openMetadata(options)
      await new Subject(metadata, backend, []).blob('kept', { 'containerd.io/gc.root': 'x' })
      await (await metadata.namespace('ns').content.writer({ ref: 'kept' }))[Symbol.asyncDispose]()
    }
    {
      await using writer = await backend.writer({ ref: 'ns/99/orphan' })
      await writer.write(Buffer.from('orphan'))
      await using other = await backend.writer({ ref: 'orphan' })
      await other.write(Buffer.from('other'))
      await other.commit()
    }
    await using metadata = await openMetadata(options)
    const subject = new Subject(metadata, backend, [])
    await metadata.collect()
    expect(await subject.files()).toEqual([digestOf('kept')])
    expect((await backend.statuses()).map(({ ref }) => ref)).toEqual(['ns/2/kept'])
  })

  test('that fails to remove a blob is asked again, and the caller’s deletion stands', () =>
    withSubject(async (subject) => {
      const { backend } = subject
      await subject.image('x', await subject.blob('a'))
      const remove = backend.delete.bind(backend)
      backend.delete = () => Promise.reject(new Error('EBUSY'))
      await subject.ns.images.delete('x', { sync: true })
      expect(await subject.blobs()).toEqual([])
      expect(await subject.files()).toEqual([digestOf('a')])
      backend.delete = remove
      await subject.metadata.collect()
      expect(await subject.files()).toEqual([])
    }))

  test('never loses a blob that is taken into use while it is being removed', () =>
    withSubject(async (subject) => {
      const { backend, metadata } = subject
      const remove = backend.delete.bind(backend)
      backend.delete = async (...given) => {
        await setTimeout(Math.random() * 3)
        await remove(...given)
      }
      const seeds = ['a', 'b', 'c']
      const names = ['x', 'y', 'z']
      const worker = async (namespace: string) => {
        const { content } = metadata.namespace(namespace)
        for (let i = 0; i < 60; i++) {
          const seed = seeds[Math.floor(Math.random() * seeds.length)] as string
          const digest = digestOf(seed)
          const expected = Math.random() < 0.7 ? digest : undefined
          try {
            await using writer = await content.writer({ ref: `ref-${seed}`, expected })
            await writer.write(Buffer.from(seed).subarray(writer.status().offset))
            await writer.commit({ labels: { 'containerd.io/gc.root': 'x' } })
          } catch (error) {
            expect(errorCode(error)).toBe('already_exists')
          }
          let read = ''
          for await (const chunk of content.read(digest)) read += Buffer.from(chunk).toString()
          expect(read).toBe(seed)
          await content.delete(digest)
        }
      }
      let running = true
      const collecting = async () => {
        while (running) {
          await metadata.collect()
          await setTimeout(0)
        }
      }
      const collector = collecting()
      await Promise.all(names.map(worker))
      running = false
      await collector
      await metadata.collect()
      expect(await subject.files()).toEqual([])
    }))
})
