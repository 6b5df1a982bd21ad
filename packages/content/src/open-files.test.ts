import { readdir } from 'node:fs/promises'
import { errorCode } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { openContentStore } from './open-content-store.ts'

const openFiles = async () => (await readdir('/proc/self/fd')).length

describeWith({ linux: true }, 'open files', () => {
  test('are none more after reads, writes and lists that ended early or failed', async () => {
    await using dir = await tempDir('nsbox-content')
    await using store = await openContentStore({ root: dir.path })
    const large = Buffer.alloc(1024 * 1024, 'x')
    await using writer = await store.writer({ ref: 'large' })
    await writer.write(large)
    const { digest } = await writer.commit()
    await using held = await store.writer({ ref: 'held' })
    const before = await openFiles()

    for (let round = 0; round < 50; round++) {
      const aborted = new AbortController()
      for await (const _ of store.read(digest)) break
      for await (const _ of store.list()) break
      store.read(digest)
      const stopped = async () => {
        for await (const _ of store.read(digest, { signal: aborted.signal })) aborted.abort()
      }
      expect(await stopped().catch(errorCode)).toBe('canceled')
      expect(await store.writer({ ref: 'held' }).catch(errorCode)).toBe('unavailable')
      expect(await store.writer({ ref: 'other', expected: digest }).catch(errorCode)).toBe('already_exists')
      await using again = await store.writer({ ref: 'again' })
      await again.write(large)
      expect(await again.commit({ size: 1 }).catch(errorCode)).toBe('failed_precondition')
      const resuming = new AbortController()
      const resumed = store.writer({ ref: 'again' }, { signal: resuming.signal }).catch(errorCode)
      resuming.abort()
      const outcome = await resumed
      if (typeof outcome !== 'string') await outcome[Symbol.asyncDispose]()
      await store.abort('again')
    }
    expect(await openFiles()).toBe(before)
    await held.write(large)
  })

  test('are few while many blobs are listed', async () => {
    await using dir = await tempDir('nsbox-content')
    await using store = await openContentStore({ root: dir.path, durability: 'relaxed' })
    for (let index = 0; index < 100; index++) {
      await using writer = await store.writer({ ref: String(index) })
      await writer.write(Buffer.from(String(index)))
      if (index % 2 === 0) await writer.commit({ labels: { a: '1' } })
    }
    const before = await openFiles()
    let most = 0
    const timer = setInterval(async () => {
      most = Math.max(most, (await openFiles()) - before)
    }, 1)
    try {
      let listed = 0
      for await (const _ of store.list()) listed++
      expect(listed).toBe(50)
      expect(await store.statuses()).toHaveLength(50)
    } finally {
      clearInterval(timer)
    }
    expect(most).toBeLessThan(40)
  })
})
