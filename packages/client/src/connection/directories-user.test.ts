import { expect, test } from 'vitest'
import { directoriesUser } from './directories-user.ts'

const mapped = '         0       1000          1\n         1     100000      65536\n'

test.each([
  ['an ordinary user', 7, 0, '0 0 4294967295', 7],
  ['root of the system', 0, 0, '0 0 4294967295', 0],
  ['root of a system with a user namespace of its own', 0, 0, mapped, 0],
  ['root of a user namespace on somebody else’s system', 0, 65_534, mapped, 1000],
  ['root of a system without /run', 0, undefined, '', 0],
])('the directories of %s', (_who, uid, owner, map, expected) => {
  expect(directoriesUser({ uid, runOwner: () => owner, uidMap: () => map })).toBe(expected)
})
