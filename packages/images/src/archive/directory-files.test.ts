import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { directoryFiles } from './directory-files.ts'

describeWith({ linux: true }, 'the files of a directory', () => {
  it('E01 are those of the directory, though a link to another takes its place meanwhile', async () => {
    await using dir = await tempDir()
    const path = (name: string) => join(dir.path, name)
    for (const name of ['root', 'root/a', 'outside']) await mkdir(path(name))
    for (const name of ['1', '2']) {
      await writeFile(path(`root/a/${name}`), 'within')
      await writeFile(path(`outside/${name}`), 'secret')
    }
    const found: string[] = []
    for await (const file of directoryFiles(path('root'), undefined)) {
      if (file.kind === 'file') found.push(`${file.name} ${await buffer(file.content)}`)
      if (file.name !== 'a/1') continue
      await rename(path('root/a'), path('root/b'))
      await symlink(path('outside'), path('root/a'))
    }
    expect(found).toEqual(['a/1 within', 'a/2 within'])
  })
})
