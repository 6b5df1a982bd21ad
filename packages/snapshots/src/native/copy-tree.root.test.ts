import { closeSync, constants, mkdirSync, openSync, renameSync, statSync, symlinkSync } from 'node:fs'
import { chmod, chown, mkdir, open, readdir, readlink, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileCalls } from '@nsbox/sys/files'
import { compareTrees, readTree, runOrThrow, scratchMount, type TempDir, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { copyTree } from './copy-tree.ts'

/** One of everything that a file system holds. */
const everything = `
import os, socket, subprocess
os.umask(0o22)
for d in ['etc', 'empty', 'sticky', 'sgid', 'ro', 'a/b/c']: os.makedirs(d)
open(b'raw-\\xff\\xfe', 'w').write('no UTF-8'); open('n' * 255, 'w').write('long'); open('new\\nline', 'w').write('x')
open('suid', 'wb').write(os.urandom(200000)); os.chown('suid', 12345, 54321); os.chmod('suid', 0o4755)
os.link('suid', 'a/suid2'); os.link('suid', 'a/b/suid3')
open('capable', 'w').write('x'); subprocess.run(['setcap', 'cap_net_raw+ep', 'capable'], check=True)
os.setxattr('etc', 'user.note', b'\\x00\\xff'); os.setxattr('suid', 'trusted.note', b'x' * 3000)
open('acl', 'w'); os.setxattr('acl', 'system.posix_acl_access', bytes.fromhex('0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000400ffffffff'))
os.symlink('t' * 300, 'link'); os.symlink(b'\\xff', 'raw link'); os.link('link', 'a/link2', follow_symlinks=False)
os.lchown('link', 7, 8)
os.mkfifo('fifo', 0o640); os.mknod('null', 0o666 | 0o020000, os.makedev(1, 3)); os.mknod('disk', 0o660 | 0o060000, os.makedev(259, 70000))
os.chown('null', 5, 6); os.link('fifo', 'a/fifo2')
socket.socket(socket.AF_UNIX).bind('socket')
open('none', 'w').write('x'); os.chmod('none', 0)
os.chmod('sticky', 0o1777); os.chmod('sgid', 0o2775); os.chmod('ro', 0o555)
os.utime('suid', ns=(1, 1234567890123456789)); os.utime('link', ns=(1, -1500000000), follow_symlinks=False)
os.utime('capable', ns=(1, -2000000000)); os.utime('none', ns=(1, 20000000000 * 10**9 // 2)); os.utime('fifo', ns=(1, 5))
for d in ['a/b/c', 'a/b', 'a', 'ro', '.']: os.utime(d, ns=(1, 987654321012345678))
os.chmod('.', 0o711); os.chown('.', 3, 4)
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

  const copy = (step = () => {}) => copyTree({ from, to, scratch: join(dir.path, 'scratch') }, step)
  const openFiles = async () => (await readdir('/proc/self/fd')).length

  test('has everything that the tree has', async () => {
    await runOrThrow('python3', ['-c', everything], { cwd: from })
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
    let swapped = false
    copy(() => {
      if (swapped) return
      swapped = true
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
    for (const last of [1, 2, 3, 4, 5]) {
      let steps = 0
      const step = () => {
        if (++steps === last) throw new Error('enough')
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
      const { errorCode } = await import(${JSON.stringify(import.meta.resolve('@nsbox/errors'))})
      process.setgroups([])
      process.setgid(65534)
      process.setuid(65534)
      mkdirSync('${name} copied', { mode: 0o700 })
      try {
        copyTree({ from: '${name}', to: '${name} copied', scratch: 'scratch' }, () => {})
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
