import { existsSync } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { tempDir } from './temp-dir.ts'

it('is private while it is there, and gone with its content afterwards', async () => {
  let path: string
  {
    await using dir = await tempDir()
    path = dir.path
    expect((await stat(path)).mode & 0o777).toBe(0o700)
    await mkdir(join(path, 'below'))
    await writeFile(join(path, 'below/file'), 'x')
  }
  expect(existsSync(path)).toBe(false)
})
