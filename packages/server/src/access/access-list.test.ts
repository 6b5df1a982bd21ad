import { createHash } from 'node:crypto'
import { chmod, chown, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, test } from 'vitest'
import { permits } from './access.ts'
import { parseAccessList, readAccessList } from './access-list.ts'

const digestOf = (token: string) => createHash('sha256').update(token).digest('hex')
const alice = `[[peer]]
name = "alice"
uid = 1000
namespaces.alice = ["read", "write", "run"]
namespaces."shared.images" = ["read"]
`
const operator = `[[peer]]
name = "operator"
certificate = "operator.example"
everything = true
`
const ci = `[[peer]]
name = "ci"
token_sha256 = "${digestOf('secret')}"
namespaces = { ci = ["write"] }
`
const staff = `[[peer]]
name = "staff"
gid = 50
namespaces.alice = ["read"]
namespaces.staff = ["read"]
`
const parse = (text: string) => parseAccessList(text, 'list')

describe('an access list', () => {
  test('F04 gives a user what is said of it and of its groups, and nothing to others', () => {
    const list = parse(alice + staff)
    const access = list.ofProcess({ uid: 1000, gid: 1000, groups: [50] })!
    expect(access.peer).toBe('alice+staff (uid 1000)')
    expect(permits(access, 'alice', 'run')).toBe(true)
    expect(permits(access, 'staff', 'read')).toBe(true)
    expect(permits(access, 'staff', 'write')).toBe(false)
    expect(permits(access, 'default', 'read')).toBe(false)
    expect(permits(list.ofProcess({ uid: 7, gid: 50, groups: [] })!, 'alice', 'run')).toBe(false)
    expect(list.ofProcess({ uid: 0, gid: 0, groups: [] })).toBeUndefined()
    expect(list.ofProcess({ uid: 50, gid: 1000, groups: [1000] })).toBeUndefined()
  })

  test('knows holders of certificates and of tokens, and tells everything apart from all that is listed', () => {
    const list = parse(alice + operator + ci)
    expect(list.ofCertificate(['x', 'operator.example'])).toEqual({ peer: 'operator' })
    expect(list.ofCertificate(['alice'])).toBeUndefined()
    expect(list.ofCertificate([])).toBeUndefined()
    expect(list.ofToken(digestOf('secret'))?.peer).toBe('ci')
    expect(list.ofToken(digestOf('Secret'))).toBeUndefined()
    expect(permits(list.ofToken(digestOf('secret'))!, 'ci', 'read')).toBe(false)
    expect(list.hasTokens).toBe(true)
    expect([...list.namespaces].sort()).toEqual(['alice', 'ci', 'shared.images'])
  })

  test('of nobody is one too', () =>
    expect(parse('').ofProcess({ uid: 0, gid: 0, groups: [] })).toBeUndefined())

  test.each([
    ['a key that nobody knows', 'peers = []', '"peers"'],
    ['a peer that is no table', 'peer = ["x"]', 'peer 1: is no table'],
    ['an unknown key of a peer', alice.replace('uid', 'user'), '"user"'],
    ['no name', alice.replace('name =', '#'), 'has no name'],
    ['a name twice', alice + alice, '"alice" is there twice'],
    ['no mark', alice.replace('uid =', '#'), 'must have one of uid'],
    ['two marks', `${alice}`.replace('uid', 'gid = 1\nuid'), 'must have one of uid'],
    ['a uid that is none', alice.replace('1000', '-1'), 'no number of a user'],
    ['a uid that is a text', alice.replace('1000', '"0"'), 'no number of a user'],
    ['the user that everybody looks like', alice.replace('1000', '65534'), 'has no number'],
    ['a digest that is none', ci.replace(/"[0-9a-f]{64}"/, '"secret"'), '64 hexadecimal digits'],
    ['neither grants nor everything', alice.replace(/namespaces.*\n/g, ''), 'either namespaces or'],
    ['everything and grants', `${alice}everything = true`, 'either namespaces or'],
    ['everything that is false', operator.replace('true', 'false'), 'can only be true'],
    ['a right that is none', ci.replace('write', 'admin'), 'one of read, write, run'],
    ['a right that is a name of JavaScript', ci.replace('write', '__proto__'), 'one of read, write, run'],
    ['no rights', ci.replace('"write"', ''), 'a list of rights'],
    ['a namespace that is none', ci.replace('ci =', '"a/b" ='), '"a/b" is invalid'],
    ['a namespace of systemd', ci.replace('ci =', '"system.slice" ='), 'systemd'],
    ['what is no TOML', 'peer = [', 'line'],
  ])('F04 is refused with %s', (_, text, message) => {
    let failure: unknown
    try {
      parse(text)
    } catch (error) {
      failure = error
    }
    expect(errorCode(failure)).toBe('invalid_argument')
    expect(String(failure)).toContain(message)
  })
})

describeWith({ root: true }, 'the file of an access list', () => {
  test('F04 is refused if anybody but root and the server could have written it', async () => {
    await using directory = await tempDir('nsbox-access-list')
    const path = join(directory.path, 'access.toml')
    await writeFile(path, alice, { mode: 0o644 })
    expect((await readAccessList(path)).namespaces.has('alice')).toBe(true)
    for (const mode of [0o664, 0o646]) {
      await chmod(path, mode)
      expect(await readAccessList(path).catch(errorCode)).toBe('permission_denied')
    }
    await chmod(path, 0o600)
    await chown(path, 1000, 0)
    const failure = await readAccessList(path).catch((error) => error)
    expect(errorCode(failure)).toBe('permission_denied')
    expect(String(failure)).toContain('belongs to user 1000')
    // The checks are on the file, not on the link to it.
    await symlink(path, join(directory.path, 'link.toml'))
    expect(await readAccessList(join(directory.path, 'link.toml')).catch(errorCode)).toBe('permission_denied')
    await mkdir(join(directory.path, 'd'))
    expect(await readAccessList(join(directory.path, 'd')).catch(errorCode)).toBe('permission_denied')
    expect(await readAccessList(join(directory.path, 'missing')).catch(errorCode)).toBe('not_found')
  })
})
