import { readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TempDir, tempDir } from '@nsbox/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkStandardDescriptors } from './standard-descriptors.ts'

describe('images of a checkpoint', () => {
  let images: TempDir
  let file: string
  beforeEach(async () => {
    images = await tempDir('nsbox-descriptors')
    file = join(images.path, 'descriptors.json')
  })
  afterEach(() => images[Symbol.asyncDispose]())

  it.each([
    ['another number than those of a container', '["/dev/null","/dev/null","/dev/null","pipe:[1]"]'],
    ['a number', '[1]'],
    ['an object', '{"4":"pipe:[1]"}'],
    ['nothing', 'null'],
    ['no JSON', '["pipe:[1]"'],
    ['more than any', JSON.stringify(['x'.repeat(20_000)])],
  ])('D11 whose descriptors are of %s are refused', async (_what, content) => {
    await writeFile(file, content)
    await expect(checkStandardDescriptors(images.path)).rejects.toMatchObject({
      code: 'invalid_argument',
      details: { entry: 'descriptors.json' },
    })
  })

  it('D11 have the descriptors of a container, as they were understood', async () => {
    await writeFile(file, '[ "pipe:[1]", "pipe:[2]","/dev/null" ]')
    await checkStandardDescriptors(images.path)
    expect(await readFile(file, 'utf8')).toBe('["pipe:[1]","pipe:[2]","/dev/null"]')
  })

  it('D11 whose descriptors are somewhere else are refused', async () => {
    await writeFile(join(images.path, 'other'), '[]')
    await symlink('other', file)
    await expect(checkStandardDescriptors(images.path)).rejects.toThrow('images of a checkpoint')
  })

  it('may have none', async () => {
    await checkStandardDescriptors(images.path)
  })
})
