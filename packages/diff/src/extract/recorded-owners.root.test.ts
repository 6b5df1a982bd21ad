import { join } from 'node:path'
import { fileCalls } from '@nsbox/sys/files'
import { type RawHeader, rawEntry, type TempDir, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { FileRights } from '../ownership/file-rights.ts'
import { encodeOwner, ownerAttribute } from '../ownership/recorded-owner.ts'
import { TarParser } from '../tar/tar-parser.ts'
import { TreeWriter } from './tree-writer.ts'

/** Those of root in a user namespace that has no other id. */
const rights: FileRights = {
  limited: true,
  keptMode: { file: 0, directory: 0 },
  own: { uid: 0, gid: 0 },
  canGive: ({ uid, gid }) => uid === 0 && gid === 0,
}

describeWith({ linux: true, root: true }, 'an owner that a directory cannot have', () => {
  let dir: TempDir
  beforeEach(async () => {
    dir = await tempDir()
  })
  afterEach(() => dir[Symbol.asyncDispose]())

  function apply(...entries: RawHeader[]): void {
    using writer = new TreeWriter(dir.path, { form: 'plain', rights, fileSize: 1e6, kept: 1e6 })
    new TarParser(writer, 1e6).push(Buffer.concat(entries.map(rawEntry)))
    expect(writer.finish().skipped).toEqual([])
  }
  const recorded = (name: string) => fileCalls.lgetxattr(join(dir.path, name), ownerAttribute)
  const directory = (name: string, uid: number, gid: number): RawHeader => ({ type: '5', name, uid, gid })

  test('is recorded as the last layer says that has the directory, and not at all where that gives it to us', () => {
    apply(directory('./', 7, 8), ...['again/', 'back/', 'kept/'].map((name) => directory(name, 5, 6)))
    const asFirst = encodeOwner({ uid: 5, gid: 6 })
    for (const name of ['again', 'back', 'kept']) expect(recorded(name)).toEqual(Buffer.from(asFirst))

    apply(directory('./', 0, 0), directory('again/', 9, 0), directory('back/', 0, 0))
    expect(recorded('again')).toEqual(Buffer.from(encodeOwner({ uid: 9, gid: 0 })))
    expect(recorded('kept')).toEqual(Buffer.from(asFirst))
    for (const name of ['back', '.']) expect(recorded(name)).toBeLessThan(0)
  })

  test('is not kept of an entry that a later one of the same layer describes again', () => {
    apply(directory('twice/', 5, 6), directory('twice/', 0, 0))
    expect(recorded('twice')).toBeLessThan(0)
  })
})
