import { expect, it } from 'vitest'
import { Slots } from './slots.ts'

it('lets as many in as there are slots, and the others in order of arrival', async () => {
  const slots = new Slots(2)
  const entered: number[] = []
  const held = [await slots.take(), await slots.take()]
  const waiting = [1, 2].map(async (n) => {
    const slot = await slots.take()
    entered.push(n)
    return slot
  })
  await Promise.resolve()
  expect(entered).toEqual([])
  held[0]?.[Symbol.dispose]()
  await waiting[0]
  expect(entered).toEqual([1])
  held[1]?.[Symbol.dispose]()
  await waiting[1]
  expect(entered).toEqual([1, 2])
})

it('gives a slot back once, however often it is disposed of', async () => {
  const slots = new Slots(1)
  const first = await slots.take()
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  await slots.take()
  await expect(slots.take({ signal: AbortSignal.timeout(5) })).rejects.toThrow()
})

it('an aborted waiter leaves the queue and costs no slot', async () => {
  const slots = new Slots(1)
  const held = await slots.take()
  const gaveUp = new AbortController()
  const waiting = slots.take({ signal: gaveUp.signal })
  gaveUp.abort()
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
  held[Symbol.dispose]()
  using again = await slots.take()
  expect(again).toBeDefined()
})

it('gives a slot at once or not at all to who does not want to wait', async () => {
  const slots = new Slots(1)
  const held = slots.tryTake()
  expect(held).toBeDefined()
  expect(slots.tryTake()).toBeUndefined()
  held?.[Symbol.dispose]()
  using _slot = await slots.take()
  expect(slots.tryTake()).toBeUndefined()
})
