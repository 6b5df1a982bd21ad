import { tempDir } from '@nsbox/testing'
import { createClock, Timestamp } from '@nsbox/time'
import { expect, test } from 'vitest'
import { openContentStore } from './open-content-store.ts'

/** In the past, so that times of the file system differ from it. */
const start = Date.UTC(2020, 1, 2, 3, 4, 5, 678)

test('dates blobs and labels to the microsecond', async () => {
  await using dir = await tempDir('nsbox-content')
  let now = start
  await using store = await openContentStore({ root: dir.path, clock: createClock(() => now) })
  for (let step = 0; step < 50; step++) {
    await using each = await store.writer({ ref: `blob-${step}` })
    await each.write(Buffer.from(`bytes ${step}`))
    now = start + 10 * step + 0.457
    const time = Timestamp.fromEpochMilliseconds(now)
    const { digest, createdAt } = await each.commit()
    expect(createdAt).toEqual(time)
    expect((await store.info(digest)).createdAt).toEqual(time)
    now += 5.001
    const later = Timestamp.fromEpochMilliseconds(now)
    expect((await store.update(digest, { merge: { a: '1' } })).updatedAt).toEqual(later)
    expect(await store.info(digest)).toMatchObject({ createdAt, updatedAt: later })
  }
})

test('D22 never dates an update before what it updates when the clock goes backwards', async () => {
  await using dir = await tempDir('nsbox-content')
  let now = start
  await using store = await openContentStore({ root: dir.path, clock: createClock(() => now) })
  await using writer = await store.writer({ ref: 'layer' })
  now -= 60_000
  await writer.write(Buffer.from('bytes'))
  const { startedAt, updatedAt } = writer.status()
  expect(startedAt).toEqual(Timestamp.fromEpochMilliseconds(start))
  expect(updatedAt > startedAt).toBe(true)
  now = start
  const { digest, createdAt } = await writer.commit({ labels: { a: '1' } })
  now -= 60_000
  await store.update(digest, { merge: { a: '2' } })
  const updated = await store.info(digest)
  expect(updated.createdAt).toEqual(createdAt)
  expect(updated.updatedAt > createdAt).toBe(true)

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
  await using store = await openContentStore({ root: dir.path, clock: createClock(() => future) })
  {
    await using writer = await store.writer({ ref: 'layer' })
    await writer.write(Buffer.from('bytes'))
  }
  await using later = await openContentStore({ root: dir.path })
  const { startedAt, updatedAt } = await later.status('layer')
  expect(startedAt.epochMilliseconds).toBe(future)
  expect(updatedAt > startedAt).toBe(true)
})
