import { expect, test } from 'vitest'
import type { FileRights } from '../ownership/file-rights.ts'
import { encodeOwner, ownerAttribute } from '../ownership/recorded-owner.ts'
import type { TarEntry, TarEntryType } from '../tar/tar-entry.ts'
import { possibleEntry } from './possible-entry.ts'

/** Those of root in a user namespace with the ids 0 to 9. */
const rights: FileRights = {
  limited: true,
  keptMode: { file: 0, directory: 0 },
  own: { uid: 0, gid: 0 },
  canGive: ({ uid, gid }) => uid < 10 && gid < 10,
}

function made(type: TarEntryType, owner = 0, xattrs: TarEntry['xattrs'] = new Map(), had = rights) {
  const mtime = { seconds: 0, nanoseconds: 0 }
  const device = type === 'character' ? { major: 1, minor: 3 } : { major: 0, minor: 0 }
  const ids = { uid: owner, gid: owner }
  const entry: TarEntry = {
    type,
    name: type,
    linkName: '',
    mode: 0o644,
    size: 0,
    mtime,
    xattrs,
    ...ids,
    ...device,
  }
  const skipped: string[] = []
  return { entry, possible: possibleEntry(entry, had, (what) => skipped.push(what)), skipped }
}

test('an entry stays as it is where its owner can be had', () => {
  for (const type of ['file', 'directory', 'symlink', 'fifo', 'hardlink'] as const) {
    const { entry, possible, skipped } = made(type, 9)
    expect(possible).toBe(entry)
    expect(skipped).toEqual([])
  }
})

test('A13 a device becomes an empty file with its owner and mode, and is said to', () => {
  const { possible, skipped } = made('character', 5)
  expect(possible).toMatchObject({ type: 'file', size: 0, mode: 0o644, uid: 5, gid: 5, major: 0, minor: 0 })
  expect(skipped).toEqual(['device "character"'])
})

test.each(['file', 'directory', 'character'] as const)(
  'the owner of a %s that cannot be given is recorded',
  (type) => {
    const { possible } = made(type, 1000, new Map([['user.x', Buffer.from('x')]]))
    expect(possible).toMatchObject({ uid: 0, gid: 0 })
    expect(possible.xattrs.get(ownerAttribute)).toEqual(encodeOwner({ uid: 1000, gid: 1000 }))
    expect(possible.xattrs.has('user.x')).toBe(true)
  },
)

test.each(['symlink', 'fifo'] as const)('a %s cannot hold a record, which is said', (type) => {
  const { possible, skipped } = made(type, 1000)
  expect(possible).toMatchObject({ uid: 0, gid: 0, xattrs: new Map() })
  expect(skipped).toEqual([`owner 1000:1000 of "${type}"`])
})

test('A11 the attribute of a layer is never taken for a record of ours', () => {
  const forged = new Map([[ownerAttribute, encodeOwner({ uid: 7, gid: 7 })]])
  expect(made('file', 3, forged).possible.xattrs).toEqual(new Map())
  const owner = made('file', 1000, forged).possible.xattrs.get(ownerAttribute)
  expect(owner).toEqual(encodeOwner({ uid: 1000, gid: 1000 }))
})

test('an ordinary user can go on reading and removing what was made', () => {
  const ordinary = { ...rights, keptMode: { file: 0o600, directory: 0o700 } }
  const file = made('file', 0, new Map(), ordinary)
  expect([file.possible.mode, file.skipped]).toEqual([0o644, []])
  const directory = made('directory', 0, new Map(), ordinary)
  expect([directory.possible.mode, directory.skipped]).toEqual([0o744, ['mode 644 of "directory"']])
})
