import { errorCode } from '@nsbox/errors'
import { describe, expect, test } from 'vitest'
import { ByteQuota, type HeldBytes } from './byte-quota.ts'

// No timer of a test comes while others run.
const budget = (patience = 2 ** 31 - 1) =>
  new ByteQuota({ name: 'things', perOwner: 10, total: 25, patience })
const [a, b, c] = [{}, {}, {}]
const forever = new AbortController().signal
const never = () => {
  throw new Error('it was taken away')
}
const refusal = (work: () => unknown) => {
  try {
    work()
  } catch (error) {
    return errorCode(error)
  }
  throw new Error('nothing was thrown')
}
/** Whether a promise has settled. */
const settled = (promise: Promise<unknown>) =>
  Promise.race([promise.then(() => true), new Promise((resolve) => setImmediate(() => resolve(false)))])

describe('E07 of one owner', () => {
  test('at most its share is held, and again what it has let go of', () => {
    const bytes = budget()
    const held = bytes.take(a, 10, never)
    expect(refusal(() => bytes.take(a, 1, never))).toBe('resource_exhausted')
    bytes.take(b, 10, never)
    held[Symbol.dispose]()
    held[Symbol.dispose]()
    expect(bytes.total).toBe(10)
    bytes.take(a, 10, never)
    expect(bytes.total).toBe(20)
  })

  test('those who hold much leave something to those who hold little', async () => {
    const bytes = budget()
    bytes.take(a, 10, never)
    bytes.take(b, 10, never)
    bytes.take({}, 5, never)
    expect(await settled(bytes.wait(c, 4, never, forever))).toBe(false)
    expect(await settled(bytes.wait({}, 3, never, forever))).toBe(true)
    expect(await settled(bytes.wait({}, 3, never, forever))).toBe(true)
    expect(await settled(bytes.wait({}, 3, never, forever))).toBe(false)
    expect(bytes.total).toBe(31)
  })

  test('who wants more waits, in the order of asking, and others do not', async () => {
    const bytes = budget()
    const held = bytes.take(a, 6, never)
    const large = bytes.wait(a, 9, never, forever)
    const small = bytes.wait(a, 1, never, forever)
    expect(await settled(large)).toBe(false)
    expect(await settled(small)).toBe(false)
    await bytes.wait(b, 10, never, forever)
    held[Symbol.dispose]()
    expect(await settled(large)).toBe(true)
    expect(await settled(small)).toBe(true)
    expect(bytes.total).toBe(20)
  })

  test('who wants more than a share gets a share', async () => {
    const bytes = budget()
    await bytes.wait(a, 1000, never, forever)
    expect(bytes.total).toBe(10)
  })

  test('who gives up waiting holds up nobody', async () => {
    const bytes = budget()
    const held = bytes.take(a, 10, never)
    const controller = new AbortController()
    const first = bytes.wait(a, 10, never, controller.signal)
    const second = bytes.wait(a, 1, never, forever)
    controller.abort(new Error('given up'))
    await expect(first).rejects.toThrow('given up')
    held[Symbol.dispose]()
    await second
    expect(bytes.total).toBe(1)
  })

  test('what turns out to be larger is counted', () => {
    const bytes = budget()
    const held = bytes.take(a, 1, never)
    held.grow(20)
    expect(bytes.total).toBe(21)
    expect(refusal(() => bytes.take(a, 1, never))).toBe('resource_exhausted')
    held[Symbol.dispose]()
    expect(bytes.total).toBe(0)
  })
})

describe('E07 of all', () => {
  test('who holds more loses what it has had for longest to one who has less', () => {
    const bytes = budget(0)
    const lost: string[] = []
    const holdings: HeldBytes[] = []
    for (const [owner, sizes] of [
      [a, [4, 5]],
      [b, [3, 3, 4]],
      [c, [1]],
    ] as const) {
      for (const size of sizes) holdings.push(bytes.take(owner, size, () => lost.push(`${size}`)))
    }
    holdings[0]!.touch()
    bytes.take(c, 7, never)
    // Holdings that were touched are kept.
    expect(lost).toEqual(['5'])
    expect(bytes.total).toBe(22)
    // Disposing of evicted holdings has no effect.
    for (const held of holdings) held[Symbol.dispose]()
    expect(bytes.total).toBe(7)
  })

  test('what has moved lately is waited for', async () => {
    const bytes = budget(30)
    const lost: string[] = []
    bytes.take(a, 10, () => lost.push('a'))
    bytes.take(b, 10, () => lost.push('b'))
    expect(refusal(() => bytes.take(c, 6, never))).toBe('resource_exhausted')
    const waiting = bytes.wait(c, 6, never, forever)
    expect(await settled(waiting)).toBe(false)
    expect(lost).toEqual([])
    await waiting
    expect(lost).toEqual(['a'])
  })

  test('who holds the most itself is refused, or waits', async () => {
    const bytes = budget(0)
    bytes.take(a, 9, never)
    bytes.take(b, 9, never)
    const held = bytes.take(c, 7, never)
    expect(refusal(() => bytes.take(a, 1, never))).toBe('resource_exhausted')
    const waiting = bytes.wait(a, 1, never, forever)
    expect(await settled(waiting)).toBe(false)
    held[Symbol.dispose]()
    await waiting
  })
})
