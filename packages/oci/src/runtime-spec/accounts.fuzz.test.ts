import { attempt, attemptAsync, fuzz, mutatedBytes, mutatedText } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { accounts } from '../testing/accounts.ts'
import { maxId, parseGroup, parsePasswd } from './account-file.ts'
import { assertEnv, mergeEnv } from './env.ts'
import { parseUser, resolveUser } from './user.ts'

const file = mutatedBytes([accounts['etc/passwd'], accounts['etc/group']], {
  dictionary: ['\n', ':', '4294967295', '4294967296', '-1', '00', '\r\n', 'root', '\0', ','],
})
const user = mutatedText(['root', 'web:extra', '0:0', '1000', ':more', '4294967294'], { most: 2 })
const isId = (id: number) => Number.isInteger(id) && id >= 0 && id <= maxId

fuzz('B10 accounts have ids of 32 bits, whatever their files say', file, (bytes) => {
  const { outcome, value } = attempt(() => ({ users: parsePasswd(bytes), groups: parseGroup(bytes) }))
  if (value === undefined) return outcome
  const lines = bytes.toString().split('\n').length
  expect(value.users.length + value.groups.length).toBeLessThanOrEqual(2 * lines)
  for (const { name, uid, gid } of value.users) expect(name !== '' && isId(uid) && isId(gid)).toBe(true)
  for (const { name, gid, members } of value.groups)
    expect(name !== '' && isId(gid) && !members.includes('')).toBe(true)
  return outcome
})

fuzz(
  'B11 a user has a primary group among its groups, and is the number that it was named by',
  fc.tuple(user, file, file),
  async ([name, passwd, group]) => {
    const files: Record<string, Uint8Array> = { '/etc/passwd': passwd, '/etc/group': group }
    const readFile = async (path: string) => files[path]
    const { outcome, value } = await attemptAsync(() => resolveUser(name, { readFile }))
    if (value === undefined) return outcome
    expect([value.uid, value.gid, ...value.additionalGids!].every((id) => isId(Number(id)))).toBe(true)
    expect(value.additionalGids).toContain(value.gid)
    const named = parseUser(name)
    if (typeof named.user === 'number') expect(value.uid).toBe(named.user)
    if (typeof named.group === 'number') expect(value.gid).toBe(named.group)
    if (/^[0-9]+$/.test(name)) expect(value.uid).toBe(Number(name))
    return outcome
  },
)

const variable = mutatedText(['PATH=/bin', 'A', 'B=', 'é=ü', 'PATH'], {
  most: 2,
  dictionary: ['=', '\n', '\0', ' '],
})

fuzz(
  'B16 an environment has each variable once, with a name',
  fc.tuple(fc.array(variable, { maxLength: 4 }), fc.array(variable, { maxLength: 4 })),
  ([base, changes]) => {
    const { outcome, value } = attempt(() => {
      assertEnv(base, 'env')
      return mergeEnv(base, changes)
    })
    if (value === undefined) return outcome
    assertEnv(value, 'env')
    const names = value.map((each) => each.split('=', 1)[0])
    expect(new Set(names).size).toBe(names.length)
    expect(names).not.toContain('')
    return outcome
  },
)
