import { chmod, chown, lchown, link, lstat, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { overlayMount, withTempMount } from '@nsbox/mount'
import { scratchMount, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { shiftOwners } from './shift-owners.ts'

const range = (hostID: number) => ({ containerID: 0, hostID, size: 65536 })
const mapping = { uid: range(100_000), gid: range(200_000) }
const signal = new AbortController().signal

describeWith({ root: true, linux: true }, 'owners that are shifted', () => {
  async function tree() {
    const directory = await tempDir()
    const at = (name: string) => join(directory.path, name)
    const ownersOf = async (...names: string[]) =>
      await Promise.all(
        names.map(async (name) => {
          const { uid, gid, mode } = await lstat(at(name))
          return [name, uid, gid, (mode & 0o7777).toString(8)]
        }),
      )
    return {
      at,
      ownersOf,
      path: directory.path,
      [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
    }
  }

  test('are those of everything once, with its mode, and of nothing that links lead to', async () => {
    await using outside = await tree()
    await writeFile(outside.at('host'), '')
    await using made = await tree()
    const { at, ownersOf, path } = made
    await mkdir(at('dir'))
    await chmod(at('dir'), 0o2755)
    await writeFile(at('dir/program'), '')
    await chown(at('dir/program'), 1, 2)
    await chmod(at('dir/program'), 0o6755)
    await link(at('dir/program'), at('again'))
    await symlink(outside.at('host'), at('link'))
    await lchown(at('link'), 3, 4)
    const name = Buffer.concat([Buffer.from(`${path}/`), Buffer.from([0xff, 0xfe])])
    await writeFile(name, '')
    await shiftOwners(path, mapping, { signal })
    expect(await ownersOf('.', 'dir', 'dir/program', 'again', 'link')).toEqual([
      ['.', 100_000, 200_000, '700'],
      ['dir', 100_000, 200_000, '2755'],
      ['dir/program', 100_001, 200_002, '6755'],
      ['again', 100_001, 200_002, '6755'],
      ['link', 100_003, 200_004, '777'],
    ])
    expect(await lstat(name)).toMatchObject({ uid: 100_000, gid: 200_000 })
    expect(await outside.ownersOf('host')).toEqual([['host', 0, 0, '644']])
  })

  test('are those of all names of a file where a change of one leaves the others', async () => {
    await using scratch = await scratchMount()
    const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => join(scratch.path, name))
    await Promise.all([lower!, upper!, work!].map((path) => mkdir(path)))
    await writeFile(join(lower!, 'a'), '')
    await link(join(lower!, 'a'), join(lower!, 'b'))
    const overlay = overlayMount({ lower: [lower!], upper: upper!, work: work! }, ['index=off'])
    await withTempMount([overlay], async (path) => {
      await shiftOwners(path, mapping, { signal })
      for (const name of ['a', 'b'])
        expect(await lstat(join(path, name))).toMatchObject({ uid: 100_000, gid: 200_000 })
    })
  })

  test('must be in the mapping', async () => {
    await using made = await tree()
    await writeFile(made.at('file'), '')
    await chown(made.at('file'), 65_536, 0)
    await expect(shiftOwners(made.path, mapping, { signal })).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining(
        '"/file" of the image belongs to user 65536, but the mapping has 65536',
      ),
    })
  })

  test('stay where they are after an abort', async () => {
    await using made = await tree()
    await expect(shiftOwners(made.path, mapping, { signal: AbortSignal.abort() })).rejects.toThrow()
    expect(await made.ownersOf('.')).toEqual([['.', 0, 0, '700']])
  })
})
