import { expect, test } from 'vitest'
import { attributeChange, attributeFlags, attributesInTable } from './mount-attributes.ts'
import { parseMountOptions } from './mount-options.ts'

const nothing = { remount: false, attributes: {}, superblock: [], fileSystem: [] }

test.each([
  [[], nothing],
  [['defaults'], nothing],
  [['rbind', 'ro'], { ...nothing, bind: 'recursive', attributes: { readOnly: true }, superblock: ['ro'] }],
  [['rbind', 'bind'], { ...nothing, bind: 'recursive' }],
  [['nosuid', 'nodev', 'suid'], { ...nothing, attributes: { noSuid: false, noDev: true } }],
  [['noatime', 'relatime'], { ...nothing, attributes: { atime: 'relative' } }],
  [['strictatime', 'nostrictatime'], { ...nothing, attributes: { atime: 'relative' } }],
  [['sync', 'lazytime'], { ...nothing, superblock: ['sync', 'lazytime'] }],
  [['shared', 'rslave'], { ...nothing, propagation: { kind: 'slave', recursive: true } }],
  [
    ['size=10m', 'userxattr', 'a=b=c', 'empty='],
    {
      ...nothing,
      fileSystem: [
        { key: 'size', value: '10m' },
        { key: 'userxattr' },
        { key: 'a', value: 'b=c' },
        { key: 'empty', value: '' },
      ],
    },
  ],
])('%j', (options, parsed) => expect(parseMountOptions(options)).toEqual(parsed))

test('D09 a comma does not part options', () => {
  expect(parseMountOptions(['upperdir=/a,lowerdir=/etc', 'nosuid,suid'])).toEqual({
    ...nothing,
    fileSystem: [{ key: 'upperdir', value: '/a,lowerdir=/etc' }, { key: 'nosuid,suid' }],
  })
})

test('names of Object.prototype are options like any other', () => {
  expect(parseMountOptions(['constructor', '__proto__']).fileSystem).toEqual([
    { key: 'constructor' },
    { key: '__proto__' },
  ])
})

test.each(['', '=x', 'a=b\0,suid', '\0'])('%j is refused', (option) => {
  expect(() => parseMountOptions([option])).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
})

test('attributes become what mount_setattr takes, each set or cleared only if it was asked for', () => {
  expect(attributeChange({ readOnly: true, noSuid: false })).toEqual({ set: 1, clear: 2 })
  expect(attributeChange({ atime: 'relative' })).toEqual({ set: 0, clear: 0x70 })
  expect(attributeChange({ atime: 'strict', noExec: true })).toEqual({ set: 0x28, clear: 0x70 })
  expect(attributeChange({})).toEqual({ set: 0, clear: 0 })
})

test('attributes in the mount table become the flags that keep them', () => {
  expect(attributeFlags(attributesInTable(['ro', 'nosuid', 'relatime']))).toBe(1 | 2 | (1 << 21))
  // The table has no word for access times that are always kept.
  expect(attributeFlags(attributesInTable(['rw', 'nodev']))).toBe(4 | (1 << 24))
  expect(attributeFlags(attributesInTable(['rw', 'noatime', 'nodiratime', 'other']))).toBe(1024 | 2048)
})
