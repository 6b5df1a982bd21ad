import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bundleSources } from './bundle-sources.ts'
import { run } from './run.ts'
import { tempDir } from './temp-dir.ts'

it('makes one file of a program and the sources it imports, which keep their address', async () => {
  await using dir = await tempDir()
  await using elsewhere = await tempDir()
  const sources = join(dir.path, 'packages/it/src')
  await mkdir(sources, { recursive: true })
  await writeFile(join(sources, 'place.ts'), 'export const place: string = import.meta.url\n')
  const program = await bundleSources(
    "import { place } from './place.ts'\nconsole.log(place, process.argv[2] as string)",
    sources,
    elsewhere.path,
  )
  expect(await run(process.execPath, [program, 'given'])).toMatchObject({
    code: 0,
    stdout: `file://${join(sources, 'place.ts')} given\n`,
  })
})

it('rejects with what is wrong with a program', async () => {
  await using dir = await tempDir()
  await expect(bundleSources("import './absent.ts'", dir.path, dir.path)).rejects.toThrow('./absent.ts')
})
