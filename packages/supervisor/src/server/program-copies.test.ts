import { copyFile, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { ProgramCopies } from './program-copies.ts'

describeWith({ linux: true }, 'copies of programs', () => {
  test('are made once, and again when the file has changed', async () => {
    await using directory = await tempDir('nsbox-copies')
    const path = join(directory.path, 'program')
    await copyFile('/bin/true', path)
    const copies = new ProgramCopies()
    const first = copies.of(path)
    expect(first).toMatch(/^\/proc\/self\/fd\/\d+$/)
    expect(await readFile(first)).toEqual(await readFile(path))
    expect(copies.of(path)).toBe(first)
    await copyFile('/bin/false', path)
    await utimes(path, 1, 1)
    const second = copies.of(path)
    expect(await readFile(second)).toEqual(await readFile('/bin/false'))
  })

  test('are not made of scripts', async () => {
    await using directory = await tempDir('nsbox-copies')
    const copies = new ProgramCopies()
    const script = join(directory.path, 'program')
    await writeFile(script, '#!/bin/sh\n', { mode: 0o755 })
    expect(copies.of(script)).toBe(script)
  })
})
