import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mount, unmount } from '@nsbox/mount'
import { runOrThrow, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeTree } from './remove-tree.ts'

describeWith({ root: true, linux: true }, 'removeTree', () => {
  let scratch: Awaited<ReturnType<typeof scratchMount>>
  let path: (name: string) => string

  beforeEach(async () => {
    scratch = await scratchMount()
    path = (name) => join(scratch.path, name)
    mkdirSync(path('tree/a/b'), { recursive: true })
    mkdirSync(path('precious'))
    writeFileSync(path('precious/file'), '')
  })
  afterEach(() => scratch[Symbol.asyncDispose]())

  test('D10 removes nothing while something is mounted below, and all of it afterwards', async () => {
    await mount({ type: 'bind', source: path('precious'), options: ['bind'] }, path('tree/a/b'))
    await expect(removeTree(path('tree'))).rejects.toMatchObject({
      code: 'failed_precondition',
      details: { mountPoint: path('tree/a/b') },
    })
    await expect(removeTree(path('tree/a/b'))).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(readdirSync(path('precious'))).toEqual(['file'])
    await unmount(path('tree/a/b'))
    await removeTree(path('tree'))
    expect(readdirSync(scratch.path)).toEqual(['precious'])
    expect(readdirSync(path('precious'))).toEqual(['file'])
  })

  test('D10 sees a mount through a symbolic link before the last component', async () => {
    symlinkSync(scratch.path, path('link'))
    await mount({ type: 'bind', source: path('precious'), options: ['bind'] }, path('tree/a/b'))
    await expect(removeTree(path('link/tree'))).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(readdirSync(path('precious'))).toEqual(['file'])
  })

  test('removes a symbolic link and not what it leads to', async () => {
    symlinkSync(path('precious'), path('link'))
    await removeTree(path('link'))
    expect(existsSync(path('link'))).toBe(false)
    expect(readdirSync(path('precious'))).toEqual(['file'])
  })

  test('succeeds for what does not exist', async () => {
    await removeTree(path('nowhere'))
    await removeTree(path('nowhere/below'))
  })

  test('removes a tree that is deeper than the longest path', async () => {
    const script = `
import os
for name in [b'd' * 200, b'\\xff' * 255]:
    os.chdir(os.environ['TREE'])
    for depth in range(60):
        os.mkdir(name)
        os.chdir(name)
        open('file', 'w')`
    await runOrThrow('/usr/bin/python3', ['-c', script], { env: { TREE: path('tree') } })
    await removeTree(path('tree'))
    expect(readdirSync(scratch.path)).toEqual(['precious'])
  })
})
