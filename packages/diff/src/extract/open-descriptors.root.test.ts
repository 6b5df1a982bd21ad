import { existsSync, readdirSync } from 'node:fs'
import { closeAbandoned, descriptorTable, keepDescriptorsIn } from '@nsbox/sys/files'
import { rawEntry, type TempDir, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fileRights } from '../ownership/file-rights.ts'
import { TarParser } from '../tar/tar-parser.ts'
import { TreeWriter } from './tree-writer.ts'

// Without the descriptor of the listing itself.
const listed = () => readdirSync('/proc/self/fd').filter((fd) => existsSync(`/proc/self/fdinfo/${fd}`))

describeWith({ linux: true, root: true }, 'the table of what a thread has open', () => {
  let dir: TempDir
  beforeEach(async () => {
    dir = await tempDir()
  })
  afterEach(() => dir[Symbol.asyncDispose]())

  test('has every descriptor that extraction has opened, so that another thread can close them', () => {
    const table = descriptorTable()
    keepDescriptorsIn(table)
    const before = listed()
    const writer = new TreeWriter(dir.path, {
      form: 'overlay',
      rights: fileRights(),
      fileSize: 1e6,
      kept: 1e6,
    })
    const parser = new TarParser(writer, 1e6)
    // As if the thread were terminated within the content of a file.
    parser.push(
      Buffer.concat([rawEntry({ name: 'a/b/c/' }), rawEntry({ name: 'a/x', size: 512 })]).subarray(0, -512),
    )
    const open = listed().filter((fd) => !before.includes(fd))
    const noted = [...new Uint8Array(table)].flatMap((is, fd) => (is === 1 ? [`${fd}`] : []))
    expect(noted).toEqual(open)
    expect(noted.length).toBeGreaterThanOrEqual(4)
    closeAbandoned(table)
    expect(listed()).toEqual(before)
    expect(new Uint8Array(table).includes(1)).toBe(false)
  })
})
