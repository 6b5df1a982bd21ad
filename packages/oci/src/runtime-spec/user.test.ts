import { errorCode } from '@nsbox/errors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accounts, rootfsFiles } from '../testing/accounts.ts'
import { maxAccountFile, maxId } from './account-file.ts'
import { parseUser, type RootfsReader, resolveUser } from './user.ts'

const code = (run: () => unknown): string | undefined => {
  try {
    run()
  } catch (error) {
    return errorCode(error)
  }
  return undefined
}

describe('parseUser', () => {
  it.each([
    ['', { user: 0 }],
    ['web', { user: 'web' }],
    ['1000', { user: 1000 }],
    ['web:extra', { user: 'web', group: 'extra' }],
    ['5:6', { user: 5, group: 6 }],
    [':5', { user: 0, group: 5 }],
    ['+5', { user: 5 }],
    ['0', { user: 0 }],
    ['1st', { user: '1st' }],
    ['4294967294', { user: maxId }],
  ])('reads "%s"', (text, expected) => {
    expect(parseUser(text)).toEqual(expected)
  })

  it.each([
    'a:b:c',
    'web:',
    ':',
    '-1',
    '4294967295',
    '4294967296',
    '99999999999999999999999999',
    'web:-1',
    'web:4294967296',
    'a b',
    'web\n',
    'web\0',
    '١٢ ',
  ])('refuses %j', (text) => {
    expect(code(() => parseUser(text))).toBe('invalid_argument')
  })

  it('B10 never takes for a name what looks like a number, nor for another number', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), fc.boolean(), (id, asGroup) => {
        const text = asGroup ? `web:${id}` : `${id}`
        if (id < 0n || id > BigInt(maxId)) {
          expect(code(() => parseUser(text))).toBe('invalid_argument')
          return
        }
        const { user, group } = parseUser(text)
        expect(asGroup ? group : user).toBe(Number(id))
      }),
    )
  })

  it('gives ids in range or names without odd characters, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (text) => {
        let parsed: ReturnType<typeof parseUser>
        try {
          parsed = parseUser(text)
        } catch (error) {
          expect(errorCode(error)).toBe('invalid_argument')
          return
        }
        for (const part of [parsed.user, parsed.group ?? 0]) {
          if (typeof part === 'number')
            expect(part >= 0 && part <= maxId && Number.isInteger(part)).toBe(true)
          else expect(part).toMatch(/^[^\s\p{Cc}:]+$/u)
        }
      }),
    )
  })
})

describe('resolveUser', () => {
  const here = rootfsFiles(accounts)
  const nothing = rootfsFiles({})

  it.each([
    ['', { uid: 0, gid: 0, additionalGids: [0, 2000] }],
    ['web', { uid: 1000, gid: 1001, additionalGids: [1001, 2000, 3000] }],
    ['1000', { uid: 1000, gid: 1001, additionalGids: [1001, 2000, 3000] }],
    ['web:extra', { uid: 1000, gid: 2000, additionalGids: [2000] }],
    ['web:7', { uid: 1000, gid: 7, additionalGids: [7] }],
    ['7777', { uid: 7777, gid: 0, additionalGids: [0] }],
    ['5:6', { uid: 5, gid: 6, additionalGids: [6] }],
  ])('finds "%s"', async (name, user) => {
    expect(await resolveUser(name, here)).toEqual(user)
  })

  it('needs no files for numbers', async () => {
    expect(await resolveUser('', nothing)).toEqual({ uid: 0, gid: 0, additionalGids: [0] })
    expect(await resolveUser('5', nothing)).toEqual({ uid: 5, gid: 0, additionalGids: [0] })
    const unreadable: RootfsReader = { readFile: () => Promise.reject(new Error('read')) }
    expect(await resolveUser('5:6', unreadable)).toEqual({ uid: 5, gid: 6, additionalGids: [6] })
  })

  it.each(['nobody', 'web:nobody', '5:nobody'])('does not find "%s"', async (name) => {
    await expect(resolveUser(name, here)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('B10 does not look up a number as a name', async () => {
    const files = rootfsFiles({ 'etc/passwd': '2147483648:x:0:0::/:\n5000000000:x:0:0::/:\n' })
    expect(await resolveUser('2147483648', files)).toMatchObject({ uid: 2_147_483_648 })
    await expect(resolveUser('5000000000', files)).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  it.each(['4294967296', '4294967295', '-1', '', 'x', ' 0', '0x0', '00000000000'])(
    'does not know a user whose id in the file is "%s"',
    async (id) => {
      const files = rootfsFiles({ 'etc/passwd': `evil:x:${id}:0::/:\n` })
      await expect(resolveUser('evil', files)).rejects.toMatchObject({ code: 'not_found' })
    },
  )

  it('passes over lines that are no accounts', async () => {
    const text = '\n# comment\n+::::::\nweb\nweb:x:1\nweb:x:7:8::/:\nweb:x:0:0::/:'
    expect(await resolveUser('web', rootfsFiles({ 'etc/passwd': text }))).toMatchObject({ uid: 7, gid: 8 })
  })

  it.each([
    ['too much', 'x'.repeat(maxAccountFile + 1)],
    ['a NUL', 'root:x:0:0::/:\n\0'],
  ])('refuses a file with %s', async (_, text) => {
    for (const name of ['etc/passwd', 'etc/group'])
      await expect(resolveUser('root', rootfsFiles({ ...accounts, [name]: text }))).rejects.toMatchObject({
        code: 'invalid_argument',
      })
  })

  it('tells the reader its limit, and stops when asked to', async () => {
    const asked: unknown[] = []
    const reader: RootfsReader = {
      readFile: async (path, { maxBytes }) => void asked.push([path, maxBytes]),
    }
    await resolveUser('0', reader)
    expect(asked).toEqual([
      ['/etc/passwd', maxAccountFile],
      ['/etc/group', maxAccountFile],
    ])
    await expect(resolveUser('0', reader, { signal: AbortSignal.abort() })).rejects.toThrow('abort')
  })

  it('B11 always has the primary group among the supplementary ones, and each once', async () => {
    const id = fc.integer({ min: 0, max: 20 })
    const name = fc.constantFrom('a', 'b', 'c')
    const passwd = fc.array(fc.tuple(name, id, id), { maxLength: 5 })
    const group = fc.array(fc.tuple(name, id, fc.array(name)), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(passwd, group, id, async (users, groups, uid) => {
        const files = rootfsFiles({
          'etc/passwd': users.map(([user, own, gid]) => `${user}:x:${own}:${gid}::/:`).join('\n'),
          'etc/group': groups
            .map(([group, gid, members]) => `${group}:x:${gid}:${members.join(',')}`)
            .join('\n'),
        })
        const found = await resolveUser(String(uid), files)
        const account = users.find(([, own]) => own === uid)
        const listed = groups.filter(([, , members]) => account && members.includes(account[0]))
        expect(found.uid).toBe(uid)
        expect(found.gid).toBe(account?.[2] ?? 0)
        expect(found.additionalGids).toEqual([...new Set([found.gid, ...listed.map(([, gid]) => gid)])])
      }),
    )
  })
})
