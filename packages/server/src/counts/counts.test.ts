import { Code } from '@connectrpc/connect'
import { NsboxError } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { BoundedNames } from './bounded-names.ts'
import { PlainHistogram } from './plain-histogram.ts'
import { ServerCounts } from './server-counts.ts'

const from = (registry: string) => ({ registry, namespace: 'n', reference: `${registry}/x:1` })

test('a value that equals a bound is below it, and one above all bounds is counted last', () => {
  const histogram = new PlainHistogram([1, 2])
  for (const value of [0, 1, 1.5, 2, 3]) histogram.observe(value)
  expect(histogram).toMatchObject({ counts: [2, 2, 1], sum: 7.5, count: 5 })
})

test('D24 names from outside are bounded in number and length', () => {
  const names = new BoundedNames(2)
  expect(['a', 'b', 'c', 'a', 'd'].map((name) => names.of(name))).toEqual(['a', 'b', 'other', 'a', 'other'])
  expect(new BoundedNames(2).of('x'.repeat(1000))).toHaveLength(128)
})

test('D24 pulls from more and more registries have a bounded number of series', async () => {
  const counts = new ServerCounts()
  for (let registry = 0; registry < 200; registry++)
    await counts.pull(from(`r${registry}`), async () => undefined)
  expect(counts.pulls.size).toBe(51)
  expect(counts.pulls.get('other')?.get(undefined)).toBe(150)
})

test('a pull that fails is counted by its status, and is no longer under way', async () => {
  const counts = new ServerCounts()
  const fails = counts.pull(from('r'), async () => {
    expect(counts.pullsInFlight).toBe(1)
    throw new NsboxError('not_found', 'x')
  })
  await expect(fails).rejects.toThrow('x')
  expect(counts.pullsInFlight).toBe(0)
  expect([...counts.pulls.get('r')!]).toEqual([[Code.NotFound, 1]])
})
