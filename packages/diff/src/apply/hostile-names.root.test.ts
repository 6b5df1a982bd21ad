import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gnuLongName, needs, paxHeader, type RawHeader, rawEntry, runOrThrow } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { useLayerSandbox } from '../testing/layer-sandbox.ts'

const reason = needs({ linux: true, root: true, programs: ['python3'] })
const refused = { code: 'invalid_argument' }
const directory = (name: string): RawHeader => ({ name, type: '5', mode: 0o755 })
const link = (name: string, linkName: string): RawHeader => ({ name, type: '2', linkName })
const hardLink = (name: string, linkName: string): RawHeader => ({ name, type: '1', linkName })

describe.skipIf(reason)(`layers whose names mislead (${reason ?? 'as root'})`, () => {
  const sandbox = useLayerSandbox()
  const at = (name: string) => join(sandbox().root, name)

  describe('A01', () => {
    test.each([
      ['climbs', '../outside/secret'],
      ['climbs after going down', 'a/../../outside/secret'],
      ['is absolute and climbs', '/../outside/secret'],
      ["climbs to the root's sibling", '../root-evil/secret'],
      ['is nothing but climbing', '..'],
    ])('refuses a name that %s', async (_, name) => {
      await expect(sandbox().apply([{ name, content: 'x' }])).rejects.toMatchObject({
        ...refused,
        details: { entry: name },
      })
    })

    test('refuses an empty name, and a NUL in an extended name', async () => {
      await expect(sandbox().apply([{ name: '', content: 'x' }])).rejects.toMatchObject(refused)
      const nul = [paxHeader([['path', 'a\0b']]), { name: 'a', content: 'x' }]
      await expect(sandbox().apply(nul)).rejects.toMatchObject(refused)
    })

    test('takes an absolute name as one below the root', async () => {
      await sandbox().apply([
        { name: '/etc//./x', content: 'x' },
        { name: `${sandbox().path}/outside/secret`, content: 'y' },
      ])
      expect(readFileSync(at('etc/x'), 'utf8')).toBe('x')
      expect(readFileSync(at(`${sandbox().path}/outside/secret`), 'utf8')).toBe('y')
    })

    test('cleans a name that stays inside', async () => {
      await sandbox().apply([{ name: './a/../b/./c', content: 'x' }])
      expect(readFileSync(at('b/c'), 'utf8')).toBe('x')
      expect(existsSync(at('a'))).toBe(false)
    })
  })

  test('A02 a parent that becomes a link to the outside, once files are in it, leads nowhere outside', async () => {
    await sandbox().apply([
      directory('dir'),
      { name: 'dir/first', content: '1' },
      link('dir', '../outside'),
      { name: 'dir/secret', content: 'overwritten' },
    ])
    expect(readlinkSync(at('dir'))).toBe('../outside')
    // The link is resolved as in the container: inside the root.
    expect(readFileSync(at('outside/secret'), 'utf8')).toBe('overwritten')
  })

  test('A02 an absolute link as parent is resolved inside the root', async () => {
    await sandbox().apply([
      link('dir', join(sandbox().path, 'outside')),
      { name: 'dir/secret', content: 'x' },
    ])
    expect(readFileSync(at(`${sandbox().path}/outside/secret`), 'utf8')).toBe('x')
  })

  test('A02 links through /proc are not followed', async () => {
    const entries = [
      link('dir', `/proc/${process.pid}/root${sandbox().path}/outside`),
      { name: 'dir/x', content: 'x' },
    ]
    await sandbox().apply(entries)
    expect(existsSync(at(`proc/${process.pid}/root${sandbox().path}/outside/x`))).toBe(true)
  })

  test('A03, A18 modes and owners of what a link points to stay', async () => {
    await sandbox().apply([
      link('l', join(sandbox().path, 'outside/secret')),
      { ...link('l', join(sandbox().path, 'outside/secret')), mode: 0o777, uid: 7, gid: 7 },
      { ...hardLink('h', 'l'), mode: 0o777, uid: 8 },
    ])
    expect(lstatSync(at('h'))).toMatchObject({ uid: 7, ino: lstatSync(at('l')).ino })
  })

  test.each(['./', '/', '.', 'a/..'])('A04 the root %j can only be a directory', async (name) => {
    for (const type of ['0', '1', '2', '3', '6'])
      await expect(
        sandbox().apply([{ name, type, linkName: '../outside', major: 1, content: type === '0' ? 'x' : '' }]),
      ).rejects.toMatchObject(refused)
    await sandbox().apply([{ name, type: '5', mode: 0o711, uid: 3 }])
    expect(statSync(sandbox().root)).toMatchObject({ uid: 3, mode: 0o40711 })
  })

  test('A05 a file is never written through a link of its own name', async () => {
    for (const target of ['../outside/secret', join(sandbox().path, 'outside/secret')]) {
      await sandbox().apply([link('x', target), { name: 'x', content: 'overwritten' }])
      expect(readFileSync(at('x'), 'utf8')).toBe('overwritten')
    }
  })

  describe('A06', () => {
    test.each(['../outside/secret', 'a/../../outside/secret', '..'])(
      'refuses a hard link to %s',
      async (target) => {
        await expect(sandbox().apply([hardLink('h', target)])).rejects.toMatchObject(refused)
        expect(existsSync(at('h'))).toBe(false)
      },
    )

    test('a hard link through a link to the outside, or to an absolute name, finds nothing', async () => {
      const through = [link('dir', '../outside'), hardLink('h', 'dir/secret')]
      await expect(sandbox().apply(through)).rejects.toMatchObject(refused)
      const absolute = [hardLink('h', join(sandbox().path, 'outside/secret'))]
      await expect(sandbox().apply(absolute)).rejects.toMatchObject(refused)
      const chain = [link('a', '/'), link('b', 'a/..'), hardLink('h', `b${sandbox().path}/outside/secret`)]
      await expect(sandbox().apply(chain)).rejects.toMatchObject(refused)
      expect(existsSync(at('h'))).toBe(false)
    })

    test('refuses a hard link to a directory, to the root, to itself and to what does not exist', async () => {
      for (const target of ['dir', '.', 'h', 'missing', 'dir/missing/deeper'])
        await expect(sandbox().apply([directory('dir'), hardLink('h', target)])).rejects.toMatchObject(
          refused,
        )
    })
  })

  test('A07 a hard link to a symbolic link is the link itself', async () => {
    await sandbox().apply([link('l', '../outside/secret'), hardLink('h', 'l')])
    expect(lstatSync(at('h')).isSymbolicLink()).toBe(true)
    expect(lstatSync(at('h')).ino).toBe(lstatSync(at('l')).ino)
  })

  test('A08 names of other systems and of Unicode are plain bytes', async () => {
    await sandbox().apply([
      { name: 'C:../x', content: '1' },
      { name: 'C:\\x', content: '2' },
      { name: 'é', content: 'composed' },
      { name: 'e\u0301', content: 'decomposed' },
    ])
    expect(readFileSync(at('C:../x'), 'utf8')).toBe('1')
    expect(readFileSync(at('é'), 'utf8')).toBe('composed')
    expect(readFileSync(at('e\u0301'), 'utf8')).toBe('decomposed')
  })

  test('A08 A09 a link that an earlier layer has planted leads a later one nowhere outside', async () => {
    await sandbox().apply([link('etc', '../outside'), link('abs', join(sandbox().path, 'outside'))])
    await sandbox().apply([
      { name: 'etc/secret', content: 'x' },
      { name: 'abs/secret', content: 'y' },
    ])
    expect(readFileSync(at('outside/secret'), 'utf8')).toBe('x')
    await expect(sandbox().apply([hardLink('h', 'abs/../../outside/secret')])).rejects.toMatchObject(refused)
  })

  describe('A14', () => {
    test.each([
      ['component', 'n'.repeat(256)],
      ['name', 'a/'.repeat(2100)],
      ['depth', 'a/'.repeat(513)],
    ])('refuses a name beyond the limit of its %s', async (_, name) => {
      const long = { code: 'resource_exhausted' }
      await expect(sandbox().apply([gnuLongName('L', name), { name: 'x' }])).rejects.toMatchObject(long)
      await expect(sandbox().apply([paxHeader([['path', name]]), { name: 'x' }])).rejects.toMatchObject(long)
    })

    test('takes names up to the limits', async () => {
      const name = `${Array(15).fill('d'.repeat(254)).join('/')}/${'f'.repeat(255)}`
      await sandbox().apply([gnuLongName('L', name), { name: 'x', content: 'deep' }])
      // With the path of the root it is longer than a path may be: only relative calls reach it.
      await runOrThrow('rm', ['-r', at('d'.repeat(254))])
    })
  })

  describe('A20', () => {
    test('a later entry of a name takes the place of an earlier one, whatever the two are', async () => {
      const kinds: RawHeader[] = [
        { name: 'x', content: 'file' },
        directory('x'),
        link('x', 'missing'),
        { name: 'x', type: '6' },
        { name: 'x', type: '3', major: 1, minor: 3 },
        hardLink('x', 'other'),
      ]
      for (const first of kinds)
        for (const second of kinds) {
          const inside = first.type === '5' ? [{ name: 'x/below', content: 'gone' }] : []
          await sandbox().apply([{ name: 'other', content: 'other' }, first, ...inside, second])
          const type = lstatSync(at('x'))
          expect(type.isDirectory()).toBe(second.type === '5')
          expect(type.isSymbolicLink()).toBe(second.type === '2')
          expect(type.isFIFO()).toBe(second.type === '6')
          if (second.type === '1') expect(readFileSync(at('x'), 'utf8')).toBe('other')
        }
    })

    test('times of directories are as the layer says, whatever comes into them later', async () => {
      const old = { ...directory('d'), mtime: 1000 }
      await sandbox().apply([old, { ...directory('d/e'), mtime: 2000 }, { name: 'd/e/f' }, { name: 'd/x' }])
      expect(statSync(at('d')).mtimeMs).toBe(1_000_000)
      expect(statSync(at('d/e')).mtimeMs).toBe(2_000_000)
    })

    test('times out of range come as near as the file system can', async () => {
      const times = [-1, 1n << 40n, -(1n << 62n), (1n << 62n) - 1n]
      await sandbox().apply(times.map((mtime, index) => ({ name: `t${index}`, mtime })))
      expect(statSync(at('t0')).mtimeMs).toBe(-1000)
      await sandbox().apply([paxHeader([['mtime', '-1.25']]), { name: 'p' }])
      expect(lstatSync(at('p'), { bigint: true }).mtimeNs).toBe(-1_250_000_000n)
      await expect(sandbox().apply([paxHeader([['mtime', '1e9']]), { name: 'p' }])).rejects.toMatchObject(
        refused,
      )
    })

    test('a link that its own name leads through cannot be replaced', async () => {
      await expect(sandbox().apply([link('l', '.'), { name: 'l/l', content: 'x' }])).rejects.toMatchObject(
        refused,
      )
    })

    test('a name below a file is refused', async () => {
      await expect(sandbox().apply([{ name: 'f' }, { name: 'f/x' }])).rejects.toMatchObject(refused)
    })

    test('a loop of links is refused', async () => {
      const loop = [link('a', 'b'), link('b', 'a'), { name: 'a/x' }]
      await expect(sandbox().apply(loop)).rejects.toMatchObject(refused)
    })
  })

  test('A10 a removal stays inside, whatever its parent links to', async () => {
    await symlink('../outside', at('l'))
    await mkdir(at('outside'))
    await writeFile(at('outside/secret'), 'inside')
    await chmod(at('outside'), 0o700)
    await sandbox().apply([{ name: 'l/.wh.secret' }, { name: 'l/.wh.directory' }])
    expect(existsSync(at('outside/secret'))).toBe(false)
    await sandbox().apply([{ name: 'l/.wh..wh..opq' }, { name: '.wh.l' }])
    expect(() => lstatSync(at('l'))).toThrow()
  })

  test('an error names the entry and leaves no descriptor open', async () => {
    const before = readdirSync('/proc/self/fd').length
    for (let count = 0; count < 5; count += 1)
      await expect(
        sandbox().apply([directory('a'), { name: 'a/b' }, rawEntry({ name: '../x' })]),
      ).rejects.toMatchObject({
        message: 'archive entry "../x": a name that leads out of the layer: invalid argument',
      })
    expect(readdirSync('/proc/self/fd').length).toBe(before)
  })
})
