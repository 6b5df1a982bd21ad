import { expect, test } from 'vitest'
import { decodeOwner, encodeOwner } from './recorded-owner.ts'

const real = { uid: 11, gid: 12 }

test.each([
  [{ uid: 0, gid: 0 }, []],
  [{ uid: 1, gid: 2 }, [8, 1, 16, 2]],
  [{ uid: 0, gid: 300 }, [16, 0xac, 2]],
  [{ uid: 4_294_967_294, gid: 0 }, [8, 0xfe, 0xff, 0xff, 0xff, 15]],
])('writes and reads %j', (owner, bytes) => {
  expect([...encodeOwner(owner)]).toEqual(bytes)
  expect(decodeOwner(Uint8Array.from(bytes), real)).toEqual(owner)
})

test('leaves what is unchanged as it is, and takes the last of two', () => {
  expect(decodeOwner(Uint8Array.of(8, 255, 255, 255, 255, 15, 16, 1, 16, 3), real)).toEqual({
    uid: 11,
    gid: 3,
  })
})

test.each([
  ['a number that does not end', [8, 128]],
  ['a tag without a value', [8]],
  ['text', [10, 1, 65]],
  ['a number of more than ten bytes', [8, ...Array(11).fill(128), 1]],
  ['more than a message has', Array(80).fill(0)],
])('refuses %s', (_what, bytes) => {
  expect(decodeOwner(Uint8Array.from(bytes), real)).toBeUndefined()
})
