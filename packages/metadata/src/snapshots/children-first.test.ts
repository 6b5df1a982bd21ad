import { expect, test } from 'vitest'
import { childrenFirst } from './children-first.ts'

/** Counts its lookups. */
class CountingMap extends Map<string, string | undefined> {
  asked = 0
  override get(key: string): string | undefined {
    this.asked++
    return super.get(key)
  }
  override has(key: string): boolean {
    this.asked++
    return super.has(key)
  }
}

test('children come before what they are based on', () => {
  const parents = new Map([
    ['root', 'elsewhere'],
    ['b', 'root'],
    ['leaf', 'b'],
    ['a', 'root'],
    ['alone', undefined],
  ])
  const order = childrenFirst(parents)
  expect([...order].sort()).toEqual([...parents.keys()].sort())
  for (const [key, parent] of parents)
    if (parents.has(parent ?? '')) expect(order.indexOf(key)).toBeLessThan(order.indexOf(parent!))
})

test('E08 a long chain takes time linear in its length, in whichever order it comes', () => {
  const length = 10_000
  const keys = Array.from({ length }, (_, index) => `${(index * 7919) % length}`)
  const parents = new CountingMap(keys.map((key) => [key, key === '0' ? undefined : `${Number(key) - 1}`]))
  const order = childrenFirst(parents)
  expect(order).toEqual(Array.from({ length }, (_, index) => `${length - 1 - index}`))
  expect(parents.asked).toBeLessThan(4 * length)
})
