import { expect, test } from 'vitest'
import { parseContainers, parseState } from './container-state.ts'

const state = { id: 'a', pid: 7, status: 'running', bundle: '/b' }

test('a container has a number that one process can have, or none once it has ended', () => {
  expect(parseState(JSON.stringify(state))).toEqual(state)
  expect(parseState(JSON.stringify({ ...state, pid: undefined, status: 'stopped' }))).toMatchObject({
    pid: 0,
  })
  for (const pid of [-1, 1.5, 2 ** 31, '7', null])
    expect(() => parseContainers(JSON.stringify([{ ...state, pid }]))).toThrow(
      expect.objectContaining({ code: 'unknown' }),
    )
})
