import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { fakeRunc } from '../testing/fake-runc.ts'
import { Runc } from './runc.ts'
import { VersionWarnings } from './version-warnings.ts'

test('D12 a program whose version has known escapes is warned of once, and no other', async () => {
  await using scratch = await tempDir('nsbox-versions')
  const { path } = scratch
  const warnings: string[] = []
  await using versions = new VersionWarnings((message) => void warnings.push(message))
  const said = { none: 'no version', new: 'runc version 1.4.0\n', old: 'runc version 1.2.7\n' }
  const programs = await Promise.all(
    Object.entries(said).map(async ([name, lie]) => {
      await mkdir(join(path, name))
      const { binary, set } = await fakeRunc(join(path, name), '/bin/echo')
      await set('version', { lie })
      return new Runc({ binary })
    }),
  )
  for (const program of [...programs, ...programs]) versions.used(program)
  await expect.poll(() => warnings).toEqual([expect.stringContaining('runc 1.2.7')])
})

test('a program is not asked once nobody is to be warned any more', async () => {
  await using scratch = await tempDir('nsbox-versions')
  const { binary, calls } = await fakeRunc(scratch.path, '/bin/echo')
  const versions = new VersionWarnings(() => expect.unreachable())
  versions.used(new Runc({ binary }))
  await versions[Symbol.asyncDispose]()
  expect(await calls()).toEqual([])
})
