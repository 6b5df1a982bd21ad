import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { openContentStore } from './open-content-store.ts'

/** In the past, so that times of the file system cannot be the cause of what is seen. */
const start = Date.UTC(2020, 1, 2, 3, 4, 5, 678)

test('dates blobs and labels to the millisecond', async () => {
  await using dir = await tempDir('nsbox-content')
  let now = start
  await using store = await openContentStore({ root: dir.path, now: () => now })
  for (let step = 0; step < 50; step++) {
    await using each = await store.writer({ ref: `blob-${step}` })
    await each.write(Buffer.from(`bytes ${step}`))
    now = start + step
    const { digest, createdAt } = await each.commit()
    expect(createdAt.getTime()).toBe(now)
    expect((await store.info(digest)).createdAt.getTime()).toBe(now)
    now += 1000
    expect((await store.update(digest, { merge: { a: '1' } })).updatedAt.getTime()).toBe(now)
    expect(await store.info(digest)).toMatchObject({ createdAt, updatedAt: new Date(now) })
  }
})

test('D22 never dates an update before what it updates when the clock goes backwards', async () => {
  await using dir = await tempDir('nsbox-content')
  let now = start
  await using store = await openContentStore({ root: dir.path, now: () => now })
  await using writer = await store.writer({ ref: 'layer' })
  now -= 60_000
  await writer.write(Buffer.from('bytes'))
  expect(writer.status()).toMatchObject({ startedAt: new Date(start), updatedAt: new Date(start) })
  now = start
  const { digest } = await writer.commit({ labels: { a: '1' } })
  now -= 60_000
  await store.update(digest, { merge: { a: '2' } })
  expect(await store.info(digest)).toMatchObject({ createdAt: new Date(start), updatedAt: new Date(start) })

  await using other = await store.writer({ ref: 'other' })
  await expect(store.writer({ ref: 'other' })).rejects.toThrow(/locked for 0s/)
  now -= 60_000
  await expect(store.writer({ ref: 'other' })).rejects.toThrow(/locked for 0s/)
  now = start
  await expect(store.writer({ ref: 'other' })).rejects.toThrow(
    'ref other locked for 60s (since 2020-02-02T03:03:05.678Z): unavailable',
  )
  await other.write(Buffer.from('bytes'))
})

test('D22 never dates an ingest on disk before its start', async () => {
  await using dir = await tempDir('nsbox-content')
  const future = Date.now() + 3_600_000
  await using store = await openContentStore({ root: dir.path, now: () => future })
  {
    await using writer = await store.writer({ ref: 'layer' })
    await writer.write(Buffer.from('bytes'))
  }
  await using later = await openContentStore({ root: dir.path })
  const { startedAt, updatedAt } = await later.status('layer')
  expect(startedAt).toEqual(new Date(future))
  expect(updatedAt).toEqual(new Date(future))
})
