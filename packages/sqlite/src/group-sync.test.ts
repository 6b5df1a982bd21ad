import { errorCode } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { GroupSync } from './group-sync.ts'

/** A sync whose end the test decides. */
function heldSync() {
  const waiting: { resolve: () => void; reject: (error: unknown) => void }[] = []
  const failures: unknown[] = []
  const group = new GroupSync(
    () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
    (cause) => failures.push(cause),
  )
  const started = async (count: number) => {
    while (waiting.length < count) await new Promise((resolve) => setImmediate(resolve))
  }
  return { group, waiting, failures, started }
}

test('resolves at once when nothing is pending', async () => {
  const { group, waiting } = heldSync()
  await group.durable()
  expect(waiting).toHaveLength(0)
})

test('does not resolve before the sync that covers it has ended', async () => {
  const { group, waiting, started } = heldSync()
  let done = false
  group.committed()
  const durable = group.durable().then(() => {
    done = true
  })
  await started(1)
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(done).toBe(false)
  waiting[0]?.resolve()
  await durable
})

test('a commit during a sync waits for the next one, and those who wait share it', async () => {
  const { group, waiting, started } = heldSync()
  const order: string[] = []
  group.committed()
  const first = group.durable().then(() => order.push('first'))
  await started(1)
  const later = [1, 2, 3].map((n) => {
    group.committed()
    return group.durable().then(() => order.push(`later ${n}`))
  })
  waiting[0]?.resolve()
  await first
  await started(2)
  expect(order).toEqual(['first'])
  waiting[1]?.resolve()
  await Promise.all(later)
  expect(waiting).toHaveLength(2)
  await group.durable()
  expect(waiting).toHaveLength(2)
})

test('commits of one turn of the event loop share a sync', async () => {
  const { group, waiting, started } = heldSync()
  const all = [1, 2, 3].map(() => {
    group.committed()
    return group.durable()
  })
  await started(1)
  waiting[0]?.resolve()
  await Promise.all(all)
  expect(waiting).toHaveLength(1)
})

test('after a failed sync nothing is ever durable again, and the failure is told once', async () => {
  const { group, waiting, failures, started } = heldSync()
  group.committed()
  const lost = group.durable().catch(errorCode)
  await started(1)
  waiting[0]?.reject(new Error('EIO'))
  expect(await lost).toBe('data_loss')
  expect(await group.durable().catch(errorCode)).toBe('data_loss')
  group.fail(new Error('again'))
  expect(failures).toHaveLength(1)
})
