import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { fileCalls } from '@nsbox/sys/files'
import { gnuLongName, paxHeader, rawEntry, rawTar, runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { extractCheckpoint } from './extract-archive.ts'
import { checkpointArchive } from './write-archive.ts'

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700)
}

/** What is below a directory: names, kinds, modes and contents. */
async function treeOf(directory: string, prefix = ''): Promise<string[]> {
  const lines: string[] = []
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name)
    const { mode, size } = await stat(path)
    const permissions = (mode & 0o7777).toString(8)
    lines.push(`${prefix}${name} ${permissions} ${(await stat(path)).isDirectory() ? 'directory' : size}`)
    if ((await stat(path)).isDirectory()) lines.push(...(await treeOf(path, `${prefix}${name}/`)))
  }
  return lines
}

describeWith({ linux: true }, 'an archive of a checkpoint', () => {
  let resources: AsyncDisposableStack
  let outside: string
  let directory: string

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    outside = resources.use(await tempDir('nsbox-checkpoint')).path
    directory = join(outside, 'images')
    await mkdir(directory)
  })
  afterEach(() => resources.disposeAsync())

  const extract = (bytes: Uint8Array, size = bytes.length) =>
    extractCheckpoint(pieces(bytes), directory, { size })
  const file = (name: string, more: object = {}) => rawEntry({ name, content: 'x', ...more })

  it('becomes files and directories that only this user may read, whatever it says of them', async () => {
    const odd = { mode: 0o6777, uid: 1234, gid: 1234, mtime: 1 }
    await extract(
      rawTar(
        rawEntry({ name: './', type: '5', ...odd }),
        rawEntry({ name: 'parent/', type: '5', ...odd }),
        paxHeader([
          ['SCHILY.xattr.user.x', 'y'],
          ['mtime', '1.5'],
        ]),
        file('./core-1.img', odd),
        file('parent/pages-1.img', { content: 'x'.repeat(3000) }),
        file('implied/below/a'),
        rawEntry({ name: 'implied/', type: '5' }),
        gnuLongName('L', 'n'.repeat(200)),
        rawEntry({ name: 'n', magic: 'ustar  \0' }),
      ),
    )
    expect(await treeOf(directory)).toEqual([
      'core-1.img 600 1',
      'implied 700 directory',
      'implied/below 700 directory',
      'implied/below/a 600 1',
      `${'n'.repeat(200)} 600 0`,
      'parent 700 directory',
      'parent/pages-1.img 600 3000',
    ])
    const { uid, mtime } = await stat(join(directory, 'core-1.img'))
    expect(uid).toBe(process.getuid?.())
    expect(mtime.getFullYear()).toBeGreaterThan(2000)
    expect(fileCalls.llistxattr(join(directory, 'core-1.img'))).toEqual([])
  })

  describe.each([
    ['a symbolic link', '2'],
    ['a hard link', '1'],
    ['a character device', '3'],
    ['a block device', '4'],
    ['a FIFO', '6'],
  ])('D11 with %s', (_what, type) => {
    it('is refused', async () => {
      const bytes = rawTar(file('a'), rawEntry({ name: 'l', type, linkName: 'a' }))
      await expect(extract(bytes)).rejects.toMatchObject({
        code: 'invalid_argument',
        details: { entry: 'l' },
      })
      expect(await treeOf(directory)).toEqual(['a 600 1'])
    })
  })

  it.each(['/etc/x', '../x', 'a/../x', 'a/../../x', 'a//x', 'a/./x', '././x', '..', './..', 'x/..', ''])(
    'D11 with the name %j is refused',
    async (name) => {
      await expect(extract(rawTar(file(name)))).rejects.toMatchObject({
        code: 'invalid_argument',
        details: { entry: name },
      })
      expect(await readdir(outside)).toEqual(['images'])
      expect(await treeOf(directory)).toEqual([])
    },
  )

  it('D11 refuses names of other lengths and characters than images have', async () => {
    const deep = 'd/'.repeat(64)
    const names = [`${deep}x`, 'n'.repeat(256), 'a\0b']
    for (const name of names)
      await expect(extract(rawTar(paxHeader([['path', name]]), file('short')))).rejects.toMatchObject({
        code: 'invalid_argument',
      })
    await extract(rawTar(paxHeader([['path', deep]]), rawEntry({ name: 'd', type: '5' })))
  })

  it.each([
    ['two files', [file('a'), file('a')]],
    ['a file and a directory', [file('a'), rawEntry({ name: 'a/', type: '5' })]],
    ['a directory and a file', [rawEntry({ name: 'a/', type: '5' }), file('a')]],
    ['two directories', [rawEntry({ name: 'a', type: '5' }), rawEntry({ name: './a/', type: '5' })]],
    ['a file, and another below it', [file('a'), file('a/b')]],
    ['an implied directory, and a file', [file('a/b'), file('a')]],
    ['two roots', [rawEntry({ name: '.', type: '5' }), rawEntry({ name: './', type: '5' })]],
    ['a root that is a file', [file('.')]],
  ])('D11 with one name for %s is refused', async (_what, entries) => {
    await expect(extract(rawTar(...entries))).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  it('E04 has a bounded number of bytes in names of directories', async () => {
    const deep = Array.from({ length: 60 }, (_, level) => `${level}`.padEnd(60, 'd')).join('/')
    const directories = (count: number) =>
      Array.from({ length: count }, (_, index) => [
        paxHeader([['path', `${deep}/${index}/`]]),
        rawEntry({ name: 'd', type: '5' }),
      ]).flat()
    await extract(rawTar(...directories(1000)))
    await rm(directory, { recursive: true })
    await mkdir(directory)
    await expect(extract(rawTar(...directories(1200)))).rejects.toMatchObject({ code: 'resource_exhausted' })
  })

  it('D11 has no more bytes than its own', async () => {
    const bomb = gzipSync(rawTar(rawEntry({ name: 'zeros', content: Buffer.alloc(1_000_000) })))
    await expect(extract(bomb)).rejects.toMatchObject({ code: 'resource_exhausted' })
    const sparse = rawTar(
      paxHeader([
        ['GNU.sparse.size', '1000000'],
        ['GNU.sparse.map', '0,1'],
      ]),
      file('s'),
    )
    await expect(extract(sparse)).rejects.toMatchObject({ code: 'invalid_argument' })
    await expect(extract(rawTar(rawEntry({ name: 'a', size: 2 ** 32 })))).rejects.toMatchObject({
      code: 'resource_exhausted',
    })
    const whole = rawTar(rawEntry({ name: 'a', content: 'x'.repeat(2000) }))
    await expect(extract(whole.subarray(0, 1024), whole.length)).rejects.toMatchObject({ code: 'data_loss' })
  })

  it('is made of a directory, always the same, with the images that its own ones add to', async () => {
    const from = join(outside, 'from')
    await mkdir(join(from, 'deep'), { recursive: true })
    await mkdir(join(outside, 'first'))
    const script = `
      head -c 700000 /dev/urandom > from/pages-1.img; echo b > from/b; : > from/empty; echo d > from/deep/d
      echo p > first/pages-1.img; ln -s ../first from/parent`
    await runOrThrow('sh', ['-ec', script], { cwd: outside })
    const bytes = await buffer(checkpointArchive(from))
    await runOrThrow('touch', ['-d', '2001-01-01', join(from, 'b')])
    expect((await buffer(checkpointArchive(from))).equals(bytes)).toBe(true)
    await extract(bytes)
    expect(await treeOf(directory)).toEqual([
      'b 600 2',
      'deep 700 directory',
      'deep/d 600 2',
      'empty 600 0',
      'pages-1.img 600 700000',
      'parent 700 directory',
      'parent/pages-1.img 600 2',
    ])
    const [one, two] = await Promise.all([from, directory].map((path) => readFile(join(path, 'pages-1.img'))))
    expect(one!.equals(two!)).toBe(true)
    await runOrThrow('ln', ['-s', 'b', join(from, 'link')])
    await expect(buffer(checkpointArchive(from))).rejects.toMatchObject({ code: 'failed_precondition' })
  })
})
