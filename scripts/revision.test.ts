import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, runOrThrow, tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'

/** What a package in a directory says after its build. */
async function revisionIn(cwd: string): Promise<string> {
  const outfile = 'dist/revision.json'
  expect(
    await run(process.execPath, [join(import.meta.dirname, 'revision.mjs'), outfile], { cwd }),
  ).toMatchObject({
    code: 0,
    stderr: '',
  })
  return JSON.parse(await readFile(join(cwd, outfile), 'utf8')).revision
}

async function packageIn(path: string): Promise<void> {
  await mkdir(join(path, 'dist/bin'), { recursive: true })
  await writeFile(join(path, '.gitignore'), 'dist\nunpacked\n')
  await writeFile(join(path, 'package.json'), '{}')
  await writeFile(join(path, 'dist/bin/program.js'), 'one')
}

test('a checkout tells its commit, and that there are changes to it', async () => {
  await using dir = await tempDir('nsbox-revision')
  const git = (...args: string[]) =>
    runOrThrow('git', ['-c', 'user.name=n', '-c', 'user.email=e@example.com', ...args], { cwd: dir.path })
  await packageIn(dir.path)
  await git('init', '--quiet')
  await git('add', '.')
  await git('commit', '--quiet', '--message', 'Begin')
  const head = (await git('rev-parse', 'HEAD')).stdout.trim()
  expect(await revisionIn(dir.path)).toBe(head)
  await writeFile(join(dir.path, 'package.json'), '{ }')
  expect(await revisionIn(dir.path)).toBe(`${head}.m`)

  const unpacked = join(dir.path, 'unpacked')
  await packageIn(unpacked)
  expect(await revisionIn(unpacked)).not.toContain(head)
})

test('a package without git tells what its code is', async () => {
  await using dir = await tempDir('nsbox-revision')
  await packageIn(dir.path)
  const first = await revisionIn(dir.path)
  expect(first).toMatch(/^[0-9a-f]{40}$/)
  expect(await revisionIn(dir.path)).toBe(first)
  await writeFile(join(dir.path, 'dist/bin/program.js'), 'two')
  expect(await revisionIn(dir.path)).not.toBe(first)
})
