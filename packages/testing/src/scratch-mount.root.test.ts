import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeWith } from './describe-with.ts'
import { runOrThrow } from './run.ts'
import { scratchMount } from './scratch-mount.ts'

describeWith({ root: true, linux: true }, 'scratchMount', () => {
  it('takes the mounts below along when it goes', async () => {
    let path: string
    {
      await using scratch = await scratchMount()
      path = scratch.path
      await mkdir(join(path, 'below'))
      await runOrThrow('mount', ['-t', 'tmpfs', 'below', join(path, 'below')])
    }
    expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(path)
    expect(existsSync(path)).toBe(false)
  })
})
