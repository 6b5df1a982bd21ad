import { closeSync, constants, mkdirSync, openSync, renameSync, statSync, symlinkSync } from 'node:fs'
import { chmod, chown, mkdir, open, readdir, readlink, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileCalls } from '@nsbox/sys/files'
import {
  compareTrees,
  makeOddTree,
  readTree,
  runOrThrow,
  scratchMount,
  type TempDir,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { drive } from '../testing/drive.ts'
import { copyTree } from './copy-tree.ts'

/** Files that no layer can represent, and attributes that are easily lost. */
const more = `
import os, socket
socket.socket(socket.AF_UNIX).bind('socket')
acl = '0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000400ffffffff'
open('acl', 'w'); os.setxattr('acl', 'system.posix_acl_access', bytes.fromhex(acl))
os.lchown('dangling', 7, 8); os.chown('dev/null', 5, 6); os.link('var/fifo', 'fifo2')
os.setxattr('big', 'trusted.note', b'x' * 3000); os.chown('big', 12345, 54321); os.chmod('big', 0o6755)
os.utime('big', ns=(1, -2000000000)); os.utime('var/fifo', ns=(1, -1500000001))
os.chmod('.', 0o711); os.chown('.', 3, 4); os.utime('.', ns=(1, 987654321012345678))
`

describeWith({ root: true, linux: true, programs: ['python3', 'setcap'] }, 'a copy of a tree', () => {
  let dir: TempDir
  let from: string
  let to: string
  beforeEach(async () => {
    dir = await tempDir('nsbox-snapshots')
    from = join(dir.path, 'from')
    to = join(dir.path, 'to')
    await mkdir(from)
    await mkdir(to)
  })
  afterEach(() => dir[Symbol.asyncDispose]())

  const copy = (step = (_count: number) => {}) =>
    drive(copyTree({ from, to, scratch: join(dir.path, 'scratch') }), step)
  const openFiles = async () => (await readdir('/proc/self/fd')).length

  test('has everything that the tree has', async () => {
    await rm(from, { recursive: true })
    await makeOddTree(from)
    await runOrThrow('/usr/bin/python3', ['-c', more], { cwd: from })
    const before = await openFiles()
    copy()
    expect(await openFiles()).toBe(before)
    const [tree, copied] = [await readTree(from), await readTree(to)]
    expect(tree.size).toBeGreaterThan(25)
    expect(compareTrees(tree, copied)).toEqual([])
    expect((await readdir(dir.path)).sort()).toEqual(['from', 'to'])
  })

  test('has nothing of the labels that belong to the host', async () => {
    await writeFile(join(from, 'file'), '')
    const path = (root: string) => join(root, 'file')
    for (const name of ['security.selinux', 'security.other'])
      expect(fileCalls.lsetxattr(path(from), name, Buffer.from('x'))).toBe(0)
    copy()
    expect(fileCalls.llistxattr(path(to))).toEqual([])
  })

  test('has the holes of its files, and shares no content with them', async () => {
    const hole = 3 * 1024 ** 3
    await using file = await open(join(from, 'file'), 'w')
    await file.write('begin', 0)
    await file.write('middle', hole)
    await truncate(join(from, 'file'), hole * 2)
    copy()
    const { size, blocks } = await stat(join(to, 'file'))
    expect(size).toBe(hole * 2)
    expect(blocks * 512).toBeLessThan(1024 * 1024)
    await using copied = await open(join(to, 'file'), 'r+')
    const at = async (position: number) =>
      (await copied.read({ buffer: Buffer.alloc(6), position })).buffer.toString()
    expect(await at(hole)).toBe('middle')
    await copied.write('changed', 0)
    expect((await at(0)).startsWith('change')).toBe(true)
    await using original = await open(join(from, 'file'), 'r')
    expect((await original.read({ buffer: Buffer.alloc(5), position: 0 })).buffer.toString()).toBe('begin')
  })

  test('is as deep as the tree, beyond the longest path and with few descriptors', async () => {
    const name = 'd'.repeat(200)
    const levels = 60
    const deep = (root: string, each: (fd: number) => void) => {
      let fd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
      for (let level = 0; level < levels; level++) {
        each(fd)
        const below = fileCalls.openat2(fd, name, constants.O_RDONLY, 0, 0)
        closeSync(fd)
        fd = below
      }
      closeSync(fd)
    }
    try {
      deep(from, (fd) => {
        expect(fileCalls.mkdirat(fd, name, 0o700 + 5)).toBe(0)
        mkdirSync(`/proc/self/fd/${fd}/sibling`)
      })
      copy()
      let found = 0
      deep(to, (fd) => {
        found += statSync(`/proc/self/fd/${fd}/${name}`).mode & 5
        expect(statSync(`/proc/self/fd/${fd}/sibling`).isDirectory()).toBe(true)
      })
      expect(found).toBe(5 * levels)
    } finally {
      // Longer than what Node can remove by a path.
      await runOrThrow('rm', ['-rf', from, to])
    }
  })

  test('A19 has nothing of what lies outside, though directories become links while it is made', async () => {
    await mkdir(join(dir.path, 'secret'))
    await writeFile(join(dir.path, 'secret/file'), 'secret')
    await mkdir(join(from, 'a'))
    await writeFile(join(from, 'a/file'), 'x')
    copy((count) => {
      // Both roots were opened, there was a turn, and names were read.
      if (count !== 4) return
      renameSync(join(from, 'a'), join(from, 'b'))
      symlinkSync('../secret', join(from, 'a'))
    })
    expect(await readlink(join(to, 'a'))).toBe('../secret')
    expect(await readdir(to)).toEqual(['a'])
  })

  test('D10 is not made of a tree in which something is mounted', async () => {
    await using scratch = await scratchMount()
    from = join(scratch.path, 'from')
    await mkdir(join(from, 'x/mounted'), { recursive: true })
    await runOrThrow('mount', ['--bind', join(scratch.path), join(from, 'x/mounted')])
    expect(() => copy()).toThrow(expect.objectContaining({ code: 'failed_precondition' }))
  })

  test('ends when it is told to, within a large file too, and leaves no descriptor open', async () => {
    await writeFile(join(from, 'large'), Buffer.alloc(40 * 1024 * 1024))
    const before = await openFiles()
    for (const last of [1, 2, 3, 4, 5, 6, 7]) {
      const step = (count: number) => {
        if (count === last) throw new Error('enough')
      }
      expect(() => copy(step)).toThrow('enough')
      expect(await openFiles()).toBe(before)
      await rm(join(to, 'large'), { force: true })
    }
  })

  test('is made without root of what its user may own', async () => {
    const program = (name: string) => `
      import { mkdirSync } from 'node:fs'
      process.chdir(${JSON.stringify(dir.path)})
      const { copyTree } = await import(${JSON.stringify(new URL('./copy-tree.ts', import.meta.url).href)})
      const { walkNow } = await import(${JSON.stringify(new URL('../walk/walk.ts', import.meta.url).href)})
      const { errorCode } = await import(${JSON.stringify(import.meta.resolve('@nsbox/errors'))})
      process.setgroups([])
      process.setgid(65534)
      process.setuid(65534)
      mkdirSync('${name} copied', { mode: 0o700 })
      try {
        walkNow(copyTree({ from: '${name}', to: '${name} copied', scratch: 'scratch' }))
        console.log('copied')
      } catch (error) {
        console.log(errorCode(error))
      }`
    const loader = [
      '--conditions=@nsbox/source',
      '--import',
      import.meta.resolve('tsx'),
      '--input-type=module',
    ]
    const copied = async (name: string) =>
      (await runOrThrow(process.execPath, [...loader, '--eval', program(name)])).stdout.trim()
    await chmod(dir.path, 0o777)
    for (const name of ['own', 'of root', 'device']) await mkdir(join(dir.path, name))
    for (const path of ['own/a', 'own/b', 'of root/a']) await writeFile(join(dir.path, path), '')
    await runOrThrow('mknod', [join(dir.path, 'device/null'), 'c', '1', '3'])
    for (const path of ['own', 'own/a', 'own/b', 'of root', 'device'])
      await chown(join(dir.path, path), 65534, 65534)
    expect(await copied('own')).toBe('copied')
    expect(await readdir(join(dir.path, 'own copied'))).toEqual(['a', 'b'])
    expect(await copied('of root')).toBe('permission_denied')
    expect(await copied('device')).toBe('permission_denied')
  })

  test('tells which file was at fault', async () => {
    await mkdir(join(from, 'a'))
    await writeFile(join(from, 'a/ä'), 'x')
    await mkdir(join(to, 'a'))
    expect(() => copy()).toThrow(/copying "a": mkdir: EEXIST/)
  })
})
