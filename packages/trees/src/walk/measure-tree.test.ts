import { linkSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { makeDeepTree } from '../testing/deep-tree.ts'
import { drive } from '../testing/drive.ts'
import { measureTree } from './measure-tree.ts'
import { walkNow } from './walk.ts'

describeWith({ linux: true }, 'the measure of a tree', () => {
  test('is that of du for a tree deeper than descriptors are kept', async () => {
    await using dir = await tempDir()
    makeDeepTree(dir.path, 200, 'd')
    const { stdout } = await runOrThrow('du', ['--summarize', '--block-size=512', dir.path])
    const before = readdirSync('/proc/self/fd').length
    expect(walkNow(measureTree(dir.path))).toEqual({ size: Number.parseInt(stdout, 10) * 512, inodes: 401 })
    expect(readdirSync('/proc/self/fd')).toHaveLength(before)
  })

  test('has a file once whose names are more than it remembers', async () => {
    await using dir = await tempDir()
    for (let file = 0; file < 10; file++) {
      writeFileSync(join(dir.path, `${file}`), Buffer.alloc(8192))
      for (let name = 1; name < 8; name++)
        linkSync(join(dir.path, `${file}`), join(dir.path, `${file}-${name}`))
    }
    const exact = walkNow(measureTree(dir.path))
    expect(exact.inodes).toBe(11)
    expect(walkNow(measureTree(dir.path, 3))).toEqual(exact)
  })

  test('E01 counts nothing outside, whatever becomes a link at whichever step', async () => {
    for (let step = 1; step < 30; step++) {
      await using dir = await tempDir()
      const path = (name: string) => join(dir.path, name)
      for (const name of ['tree', 'tree/a', 'tree/b', 'outside']) mkdirSync(path(name))
      for (let n = 0; n < 50; n++) writeFileSync(path(`outside/${n}`), '')
      const measured = drive(measureTree(path('tree')), (count) => {
        if (count !== step) return
        renameSync(path('tree/a'), path('outside/a'))
        symlinkSync(path('outside'), path('tree/a'))
      })
      expect(measured.inodes).toBeLessThanOrEqual(4)
    }
  })
})
