import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseMountInfo } from './parse-mount-info.ts'

const parse = (line: string, encoding: BufferEncoding = 'utf8') => parseMountInfo(Buffer.from(line, encoding))

const overlay = {
  id: 36,
  parentId: 35,
  device: '0:52',
  root: '/',
  mountPoint: '/m',
  options: ['ro', 'relatime'],
  propagation: { unbindable: false },
  type: 'overlay',
  source: 'overlay',
  superOptions: ['ro', 'lowerdir=/a,b:/c', 'index=off'],
}

describe('parseMountInfo', () => {
  test('reads a line with everything in it', () => {
    const line =
      '36 35 98:0 /mnt1 /mnt2 rw,noatime shared:3 master:1 propagate_from:2 unbindable - ext3 /dev/root ' +
      'rw,errors=continue'
    expect(parse(line)).toEqual({
      id: 36,
      parentId: 35,
      device: '98:0',
      root: '/mnt1',
      mountPoint: '/mnt2',
      options: ['rw', 'noatime'],
      propagation: { shared: 3, master: 1, propagateFrom: 2, unbindable: true },
      type: 'ext3',
      source: '/dev/root',
      superOptions: ['rw', 'errors=continue'],
    })
  })

  test('undoes escapes after parting options at commas', () => {
    const line = '36 35 0:52 / /m ro,relatime - overlay overlay ro,lowerdir=/a\\054b:/c,index=off'
    expect(parse(line)).toEqual(overlay)
  })

  test('undoes escapes once, and leaves a backslash that is none', () => {
    const { root, mountPoint, source } = parse(
      '1 1 0:1 /a\\134040 /b\\011\\012\\040\\043 rw - 9p C:\\x\\4 rw',
    )
    expect([root, mountPoint, source]).toEqual(['/a\\040', '/b\t\n #', 'C:\\x\\4'])
  })

  test.each([
    [
      'an unknown optional field',
      '1 1 0:1 / /m rw new:7 also - tmpfs t rw',
      { propagation: { unbindable: false } },
    ],
    [
      'an optional field with a value that is none',
      '1 1 0:1 / /m rw shared:x - tmpfs t rw',
      { propagation: { unbindable: false } },
    ],
    ['a source that is empty', '1 1 0:1 / /m rw - tmpfs  rw', { source: '', superOptions: ['rw'] }],
    ['no options of the file system', '1 1 0:1 / /m rw - tmpfs t', { source: 't', superOptions: [] }],
    [
      'a space that a file system did not escape',
      '1 1 0:1 / /m rw - 9p t rw,aname=drvfs;path=C:\\Program Files',
      { superOptions: ['rw', 'aname=drvfs;path=C:\\Program Files'] },
    ],
    [
      'a root that is no path',
      '1 1 0:4 net:[4026532000] /run/netns/x rw - nsfs nsfs rw',
      { root: 'net:[4026532000]' },
    ],
    [
      'a place named like the separator',
      '1 1 0:1 - - rw - tmpfs - rw',
      { root: '-', mountPoint: '-', source: '-' },
    ],
    [
      'names that are unicode',
      '1 1 0:1 / /m\u00e9\u{1f600} rw - tmpfs \u00fc rw',
      { mountPoint: '/m\u00e9\u{1f600}', source: '\u00fc' },
    ],
  ])('takes %s', (_, line, expected) => {
    expect(parse(line)).toMatchObject(expected)
  })

  test('keeps the bytes of a place that is not UTF-8', () => {
    const info = parse('1 1 0:1 / /m\xff\\040 rw - tmpfs t rw', 'latin1')
    expect(info.mountPoint).toBe('/m\ufffd ')
    expect(info.mountPointBytes).toEqual(Buffer.from('/m\xff ', 'latin1'))
    expect('mountPointBytes' in parse('1 1 0:1 / /m rw - tmpfs t rw')).toBe(false)
  })

  test.each([
    '',
    ' ',
    '36 35 98:0 /mnt1 /mnt2 rw',
    '36 35 98:0 /mnt1 /mnt2 rw - ext3',
    '36 35 98:0 /mnt1 /mnt2 - ext3 /dev/root rw',
    '36 35 98:0 /mnt1  rw - ext3 /dev/root rw',
    'x 35 98:0 /mnt1 /mnt2 rw - ext3 /dev/root rw',
    '36 -1 98:0 /mnt1 /mnt2 rw - ext3 /dev/root rw',
    '36 35 98 /mnt1 /mnt2 rw - ext3 /dev/root rw',
    '36 35 98:0 /mnt1 /mnt2 rw -  /dev/root rw',
    '99999999999 35 98:0 /mnt1 /mnt2 rw - ext3 /dev/root rw',
    '36\t35\t98:0\t/mnt1\t/mnt2\trw\t-\text3\t/dev/root\trw',
  ])('refuses %j', (line) => {
    expect(() => parse(line)).toThrow(expect.objectContaining({ code: 'internal' }))
  })

  test('of any bytes makes a mount or an error with a code', () => {
    const byte = fc.oneof(fc.constantFrom(...Buffer.from(' -:\\0123/,')), fc.nat(255))
    fc.assert(
      fc.property(fc.array(byte), (bytes) => {
        try {
          expect(parseMountInfo(Uint8Array.from(bytes)).mountPoint).toBeTypeOf('string')
        } catch (error) {
          expect(error).toMatchObject({ code: 'internal' })
        }
      }),
    )
  })
})
