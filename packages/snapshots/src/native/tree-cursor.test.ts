import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { TreeCursor } from './tree-cursor.ts'

describeWith({ linux: true }, 'a cursor in a tree', () => {
  test('A19 enters no link, and opens none', async () => {
    await using dir = await tempDir('nsbox-snapshots')
    mkdirSync(join(dir.path, 'directory'))
    writeFileSync(join(dir.path, 'file'), '')
    for (const name of ['directory', 'file']) symlinkSync(name, join(dir.path, `link to ${name}`))
    using cursor = new TreeCursor(dir.path)
    for (const name of ['link to directory', 'file'])
      expect(() => cursor.enter(name)).toThrow(/ELOOP|ENOTDIR/)
    expect(() => cursor.open('link to file', 0, 0)).toThrow(/ELOOP/)
    cursor.enter('directory')
    expect(cursor.names()).toEqual([])
    cursor.leave()
    expect(cursor.names()).toHaveLength(4)
  })

  test('does not leave for another directory than it came from', async () => {
    await using dir = await tempDir('nsbox-snapshots')
    mkdirSync(join(dir.path, 'a/b'), { recursive: true })
    mkdirSync(join(dir.path, 'elsewhere'))
    const before = readdirSync('/proc/self/fd').length
    {
      using cursor = new TreeCursor(join(dir.path, 'a'))
      cursor.enter('b')
      renameSync(join(dir.path, 'a/b'), join(dir.path, 'elsewhere/b'))
      expect(() => cursor.leave()).toThrow(expect.objectContaining({ code: 'failed_precondition' }))
    }
    expect(readdirSync('/proc/self/fd')).toHaveLength(before)
  })
})
