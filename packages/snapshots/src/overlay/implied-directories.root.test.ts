import { chmod, chown, mkdir, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileCalls } from '@nsbox/sys/files'
import { runOrThrow, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { resolveImpliedDirectories } from './implied-directories.ts'

const opaqueAttribute = 'trusted.overlay.opaque'
const then = new Date('2001-02-03T04:05:06.789Z')

/** Layers with directories, the topmost first; each directory's owner shows its layer. */
async function layers(...trees: readonly (readonly string[])[]) {
  const scratch = await scratchMount()
  const roots: string[] = []
  for (const [index, paths] of trees.entries()) {
    const root = join(scratch.path, `${index}`)
    roots.push(root)
    for (const path of ['', ...paths]) {
      await mkdir(join(root, path), { recursive: true })
      await chown(join(root, path), index * 100, index * 100)
    }
  }
  const [layer = '', ...parents] = roots
  return {
    layer,
    parents,
    resolve: (...paths: readonly string[]) =>
      resolveImpliedDirectories(layer, {
        parents,
        paths,
        opaqueAttribute,
      }),
    owner: async (path: string) => (await stat(join(layer, path))).uid,
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  }
}

function setAttribute(path: string, name: string, value: string): void {
  expect(fileCalls.lsetxattr(Buffer.from(path).toString('latin1'), name, Buffer.from(value))).toBe(0)
}

function attribute(path: string, name: string): string | number {
  const value = fileCalls.lgetxattr(Buffer.from(path).toString('latin1'), name)
  return typeof value === 'number' ? value : Buffer.from(value).toString()
}

describeWith({ root: true, linux: true }, 'implied directories', () => {
  test('take owner, mode, time and extended attributes of the nearest parent that has them', async () => {
    await using stack = await layers(['a/b', 'a/c'], ['a'], ['a/b', 'a/ä'])
    const below = join(stack.parents[1]!, 'a/b')
    await chmod(below, 0o2751)
    setAttribute(below, 'trusted.test', 'value')
    setAttribute(below, 'trusted.overlay.origin', 'not to be copied')
    await utimes(below, then, then)
    await stack.resolve('a', 'a/b', 'a/c')
    expect(await stack.owner('a')).toBe(100)
    expect(await stack.owner('a/c')).toBe(0)
    const taken = await stat(join(stack.layer, 'a/b'))
    expect(taken).toMatchObject({ uid: 200, gid: 200, mtime: then })
    expect(taken.mode & 0o7777).toBe(0o2751)
    expect(attribute(join(stack.layer, 'a/b'), 'trusted.test')).toBe('value')
    expect(attribute(join(stack.layer, 'a/b'), 'trusted.overlay.origin')).toBeTypeOf('number')
  })

  test('may be the root, and have names that are no UTF-8', async () => {
    await using stack = await layers([], [])
    const name = Buffer.of(0xff, 0x2c)
    for (const root of [stack.layer, stack.parents[0]!])
      await mkdir(Buffer.concat([Buffer.from(`${root}/`), name]))
    await chown(Buffer.concat([Buffer.from(`${stack.parents[0]}/`), name]), 7, 7)
    await stack.resolve('', name.toString('latin1'))
    expect(await stack.owner('')).toBe(100)
    expect((await stat(Buffer.concat([Buffer.from(`${stack.layer}/`), name]))).uid).toBe(7)
  })

  test.each([
    ['a file', (path: string) => writeFile(path, '')],
    ['a symbolic link', (path: string) => symlink('/', path)],
    ['a whiteout', (path: string) => runOrThrow('mknod', [path, 'c', '0', '0'])],
  ])('A09 are not what lies below %s', async (_what, block) => {
    await using stack = await layers(['a/b'], [], ['a/b'])
    await block(join(stack.parents[0]!, 'a'))
    await stack.resolve('a', 'a/b')
    expect([await stack.owner('a'), await stack.owner('a/b')]).toEqual([0, 0])
  })

  test('are not what lies below an opaque directory, but are that directory', async () => {
    await using stack = await layers(['a/b'], ['a'], ['a/b'])
    setAttribute(join(stack.parents[0]!, 'a'), opaqueAttribute, 'y')
    await stack.resolve('a/b', 'a')
    expect([await stack.owner('a'), await stack.owner('a/b')]).toEqual([100, 0])
  })

  test('stay as they are within an opaque directory of their own layer, which hides the one below', async () => {
    await using stack = await layers(['a/b'], ['a', 'a/b'])
    setAttribute(join(stack.layer, 'a'), opaqueAttribute, 'y')
    await stack.resolve('a/b', 'a')
    expect([await stack.owner('a'), await stack.owner('a/b')]).toEqual([100, 0])
  })

  test.each(['/', 'a/', '/a', 'a//b', '.', 'a/../a', '..', 'a/./b', 'a\0', 'ä€'])(
    'A01 refuses the path %j',
    async (path) => {
      await using stack = await layers(['a/b'], ['a/b'])
      await expect(stack.resolve(path)).rejects.toMatchObject({ code: 'invalid_argument' })
    },
  )

  test('refuses what is no directory, and follows no symbolic link', async () => {
    await using stack = await layers([], ['a/b'])
    await mkdir(join(stack.layer, 'other/b'), { recursive: true })
    await symlink('other', join(stack.layer, 'a'))
    await writeFile(join(stack.layer, 'file'), '')
    for (const path of ['a', 'a/b', 'file', 'none'])
      await expect(stack.resolve(path)).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(await stack.owner('other/b')).toBe(0)
  })
})
