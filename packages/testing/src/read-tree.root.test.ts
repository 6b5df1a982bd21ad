import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compareTrees, type TreeEntry } from './compare-trees.ts'
import { describeWith } from './describe-with.ts'
import { makeOddTree } from './odd-tree.ts'
import { readTree } from './read-tree.ts'
import { runOrThrow } from './run.ts'
import { type TempDir, tempDir } from './temp-dir.ts'

describeWith({ root: true, linux: true, programs: ['python3', 'setcap'] }, 'a tree that is read', () => {
  let dir: TempDir
  let original: string
  let tree: ReadonlyMap<string, TreeEntry>
  let count = 0
  beforeAll(async () => {
    dir = await tempDir()
    original = join(dir.path, 'original')
    await makeOddTree(original)
    tree = await readTree(original)
  })
  afterAll(() => dir[Symbol.asyncDispose]())

  async function copy(): Promise<string> {
    const path = join(dir.path, `${count++}`)
    await runOrThrow('cp', ['--archive', original, path])
    return path
  }

  test('equals its copy, and the same tree made again', async () => {
    expect(tree.size).toBeGreaterThan(40)
    expect(compareTrees(tree, await readTree(await copy()))).toEqual([])
    await makeOddTree(join(dir.path, 'again'))
    expect(compareTrees(tree, await readTree(join(dir.path, 'again')))).toEqual([])
  })

  test.each([
    ['mode', 'chmod 4754 usr/bin/tool', 'usr/bin/tool', 'usr/bin/tool2', 'usr/lib/tool3'],
    ['uid', 'chown 7 empty', 'empty'],
    ['gid', 'chown -h :7 etc/link', 'etc/link', 'etc/link2'],
    ['mtime', "touch -d '2010-10-10 10:10:10.500000001Z' etc", 'etc'],
    ['content', 'printf Data > etc/file; touch -d "2001-02-03 04:05:06.123456789Z" etc/file', 'etc/file'],
    ['size', 'truncate -s 5242881 sparse; touch -d "2020-01-02 03:04:05Z" sparse', 'sparse', 'sparse'],
    ['target', 'ln -sfn elsewhere dangling; touch -hd "1969-12-31 23:59:58Z" dangling', 'dangling'],
    ['device', 'rm dev/disk; mknod -m 660 dev/disk b 259 301; chown 0:6 dev/disk', 'dev/disk'],
    ['xattrs', 'setcap cap_net_admin+ep usr/bin/ping', 'usr/bin/ping'],
    ['type', 'rmdir empty; printf x > empty', 'empty'],
    ['links', 'ln --force big big2', 'big', 'big2'],
  ])('differs by the %s of an entry', async (field, change, ...names) => {
    const path = await copy()
    await runOrThrow('sh', ['-c', change], { cwd: path })
    const found = compareTrees(tree, await readTree(path))
    for (const name of names)
      expect(found).toContainEqual(
        expect.stringMatching(new RegExp(`^${name}: (${field}:|only in the second)`)),
      )
  })
})
