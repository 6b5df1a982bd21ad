import { expect, it } from 'vitest'
import { forkTree } from './forked-from.ts'

const named = (id: string, forkedFrom?: string, namespace = 'n') => ({ namespace, id, forkedFrom })
const shown = (items: Parameters<typeof forkTree>[0]) =>
  forkTree(items).map(({ item, depth }) => `${'-'.repeat(depth)}${item.id}`)

it('puts forks below what they were forked from', () => {
  expect(
    shown([named('c'), named('a-2', 'a'), named('a-1-1', 'a-1'), named('a'), named('a-1', 'a')]),
  ).toEqual([...['a', '-a-1', '--a-1-1', '-a-2', 'c']])
})

it('puts at the top what has lost its origin, comes from another namespace, or is of a circle', () => {
  expect(shown([named('b', 'gone'), named('d', 'a'), named('a', undefined, 'other')])).toEqual([
    'b',
    'd',
    'a',
  ])
  expect(shown([named('x', 'y'), named('y', 'x'), named('z', 'z')])).toEqual(['x', '-y', 'z'])
})
