import { lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs, paxHeader, type RawHeader, readTree } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { useLayerSandbox } from '../testing/layer-sandbox.ts'

const reason = needs({ linux: true, root: true, programs: ['python3'] })
const refused = { code: 'invalid_argument' }
const directory = (name: string): RawHeader => ({ name, type: '5', mode: 0o755 })

describe.skipIf(reason)(`layers whose content misleads (${reason ?? 'as root'})`, () => {
  const sandbox = useLayerSandbox()
  const at = (name: string) => join(sandbox().root, name)
  const xattrs = async (name: string) => (await readTree(sandbox().root)).get(name)?.xattrs ?? ''
  const opaque = 'trusted.overlay.opaque=eQ=='

  describe('A10', () => {
    test.each(['.wh.', 'd/.wh.', '.wh..', '.wh...', 'd/.wh...', '.wh.../x', '.wh.d/x', 'd/.wh./x'])(
      'refuses the whiteout %s',
      async (name) => {
        mkdirSync(at('d'))
        for (const form of ['plain', 'overlay'] as const)
          await expect(sandbox().apply([{ name }], { form })).rejects.toMatchObject(refused)
        expect(readdirSync(sandbox().root)).toEqual(['d'])
      },
    )

    test('ignores what other file systems keep under such names', async () => {
      await sandbox().apply([
        directory('.wh..wh.plnk'),
        { name: '.wh..wh.plnk/1.2' },
        { name: '.wh..wh.aufs' },
      ])
      expect(readdirSync(sandbox().root)).toEqual([])
    })

    test('plain: a whiteout removes what lower layers have, and only that', async () => {
      mkdirSync(at('d/e'), { recursive: true })
      writeFileSync(at('d/e/lower'), '')
      writeFileSync(at('f'), 'lower')
      await sandbox().apply([
        { name: 'f', content: 'ours' },
        { name: '.wh.f' },
        { name: 'd/.wh.e' },
        { name: '.wh.none' },
      ])
      expect(readFileSync(at('f'), 'utf8')).toBe('ours')
      expect(readdirSync(at('d'))).toEqual([])
    })

    test.each([true, false])(
      'plain: an opaque marker hides lower content only (marker first: %s)',
      async (first) => {
        mkdirSync(at('d/sub/deep'), { recursive: true })
        for (const name of ['d/lower', 'd/both', 'd/sub/lower', 'd/sub/deep/lower'])
          writeFileSync(at(name), 'lower')
        const marker = { name: 'd/.wh..wh..opq' }
        const ours = [
          { name: 'd/both', content: 'ours' },
          { name: 'd/sub/ours', content: 'ours' },
        ]
        await sandbox().apply([
          directory('d'),
          ...(first ? [marker, ...ours] : [...ours, marker]),
          { name: 'd/.wh.both' },
        ])
        expect(readdirSync(at('d')).sort()).toEqual(['both', 'sub'])
        expect(readdirSync(at('d/sub'))).toEqual(['ours'])
        expect(readFileSync(at('d/both'), 'utf8')).toBe('ours')
      },
    )

    test('overlay: whiteouts are devices and opaque markers attributes', async () => {
      const entries = [directory('d'), { name: 'd/.wh..wh..opq' }, { name: 'd/ours' }, { name: 'a/.wh.gone' }]
      const { implied } = await sandbox().apply([...entries, { name: 'e/.wh..wh..opq' }], { form: 'overlay' })
      expect(implied).toEqual(['', 'a', 'e'])
      expect(await xattrs('d')).toBe(opaque)
      expect(lstatSync(at('a/gone'))).toMatchObject({ rdev: 0, mode: 0o20000 })
      expect(readdirSync(at('d'))).toEqual(['ours'])
    })

    test('the root is implied where nothing describes it and nothing was there', async () => {
      const root = { name: './', type: '5', mode: 0o700 }
      expect((await sandbox().apply([{ name: 'x' }])).implied).toEqual([''])
      expect((await sandbox().apply([{ name: 'x' }])).implied).toEqual([])
      expect((await sandbox().apply([{ name: '.wh.x' }, root])).implied).toEqual([])
      expect((await sandbox().apply([{ name: 'a/b' }, root])).implied).toEqual(['a'])
    })

    test('overlay: for a user namespace the marker is an attribute that a user may set', async () => {
      await sandbox().apply([{ name: 'd/.wh..wh..opq' }], { form: 'overlay-user' })
      expect(await xattrs('d')).toBe('user.overlay.opaque=eQ==')
    })

    test('overlay: a directory that takes the place of something hidden does not show it again', async () => {
      const entries = [
        { name: '.wh.a' },
        directory('a'),
        { name: '.wh.b' },
        { name: 'b/x' },
        directory('c'),
        { name: '.wh.c' },
        { name: 'e/x' },
        { name: '.wh.e' },
      ]
      const files = [...entries, { name: 'f' }, directory('f')]
      const { implied } = await sandbox().apply(files, { form: 'overlay' })
      for (const name of ['a', 'b', 'c', 'e', 'f']) expect(await xattrs(name)).toBe(opaque)
      // Nor has it the attributes of the hidden directory.
      expect(implied).toEqual([''])
    })

    test('overlay: a whiteout after an entry of its name leaves the entry', async () => {
      await sandbox().apply([{ name: 'f', content: 'ours' }, { name: '.wh.f' }], { form: 'overlay' })
      expect(readFileSync(at('f'), 'utf8')).toBe('ours')
    })

    test('overlay: a hard link to a whiteout finds nothing', async () => {
      const entries = [{ name: '.wh.f' }, { name: 'h', type: '1', linkName: 'f' }]
      await expect(sandbox().apply(entries, { form: 'overlay' })).rejects.toMatchObject(refused)
    })
  })

  test('A11 attributes that steer overlayfs are dropped, and a device 0:0 is refused', async () => {
    const smuggled = ['opaque', 'redirect', 'metacopy', 'origin', 'overlay.opaque']
    const records = smuggled.flatMap((name) => [
      [`SCHILY.xattr.trusted.overlay.${name}`, 'y'] as const,
      [`LIBARCHIVE.xattr.user.overlay.${name}`, 'eQ=='] as const,
      [`LIBARCHIVE.xattr.trusted%2Eoverlay.${name}`, 'eQ=='] as const,
    ])
    for (const form of ['plain', 'overlay'] as const) {
      await sandbox().apply([paxHeader(records), directory('d'), paxHeader(records), { name: 'f' }], { form })
      expect(await xattrs('d')).toBe('')
      expect(await xattrs('f')).toBe('')
      const device = { name: 'x', type: '3', major: 0, minor: 0 }
      await expect(sandbox().apply([device], { form })).rejects.toMatchObject(refused)
    }
  })

  describe('A12', () => {
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')

    test('setuid and capabilities survive a change of owner', async () => {
      await sandbox().apply([
        paxHeader([['SCHILY.xattr.security.capability', capability]]),
        { name: 'ping', mode: 0o6755, uid: 5, gid: 6 },
      ])
      expect(statSync(at('ping'))).toMatchObject({ mode: 0o106755, uid: 5, gid: 6 })
      expect(await xattrs('ping')).toBe(`security.capability=${capability.toString('base64')}`)
    })

    test('an access control list is on what the layer has it on, and not inherited within', async () => {
      const list = Buffer.alloc(4 + 5 * 8)
      list.writeUInt32LE(2, 0)
      // Owner, user 1000, group, mask, others: <linux/posix_acl.h>.
      const entries = [
        [0x01, 7, 0xffffffff],
        [0x02, 7, 1000],
        [0x04, 5, 0xffffffff],
        [0x10, 7, 0xffffffff],
        [0x20, 5, 0xffffffff],
      ] as const
      for (const [index, [tag, permissions, id]] of entries.entries()) {
        list.writeUInt16LE(tag, 4 + index * 8)
        list.writeUInt16LE(permissions, 6 + index * 8)
        list.writeUInt32LE(id, 8 + index * 8)
      }
      await sandbox().apply([
        paxHeader([['SCHILY.xattr.system.posix_acl_default', list]]),
        directory('d'),
        { name: 'd/f' },
        directory('d/e'),
        paxHeader([['SCHILY.xattr.system.posix_acl_access', list]]),
        { name: 'd/g', mode: 0o775 },
      ])
      const encoded = list.toString('base64')
      expect(await xattrs('d')).toBe(`system.posix_acl_default=${encoded}`)
      expect(await xattrs('d/f')).toBe('')
      expect(await xattrs('d/e')).toBe('')
      expect(await xattrs('d/g')).toBe(`system.posix_acl_access=${encoded}`)
    })

    test("labels of the host are not the layer's to set; only files and directories have user attributes", async () => {
      const records = [
        'security.selinux',
        'security.ima',
        'user.x',
        'system.nfs4_acl',
        'btrfs.x',
        'trusted.x',
      ].map((name) => [`SCHILY.xattr.${name}`, 'v'] as const)
      const link: RawHeader = { name: 'l', type: '2', linkName: 'f' }
      const pax = paxHeader(records)
      const entries = [pax, { name: 'f' }, pax, directory('d'), pax, link, pax, { name: 'p', type: '6' }]
      expect((await sandbox().apply(entries)).skipped).toEqual([])
      expect(await xattrs('f')).toBe('trusted.x=dg==,user.x=dg==')
      expect(await xattrs('d')).toBe('trusted.x=dg==,user.x=dg==')
      expect(await xattrs('l')).toBe('trusted.x=dg==')
      expect(await xattrs('p')).toBe('trusted.x=dg==')
    })
  })

  test('A13 FIFOs are made and never opened', async () => {
    await sandbox().apply([
      { name: 'p', type: '6', mode: 0o600, uid: 3 },
      { name: 'p', content: 'x' },
    ])
    expect(lstatSync(at('p')).isFile()).toBe(true)
  })

  test('A13 entries that no file system has are refused', async () => {
    for (const type of ['s', 'V', 'M', 'D', '9', 'Z'])
      await expect(sandbox().apply([{ name: 'x', type }])).rejects.toMatchObject(refused)
  })
})
