import { create } from '@bufbuild/protobuf'
import { MountSchema } from '@nsbox/api/gen/types/mount_pb'
import { errorCode } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { fromMountMessages, fromRootfsMessages } from './mount.ts'

const bind = { type: 'bind', source: '/a', target: '', options: ['rbind', 'ro'] }
const message = (fields: Partial<typeof bind> = {}) => create(MountSchema, { ...bind, ...fields })

for (const read of [fromMountMessages, fromRootfsMessages]) {
  const code = (mounts: Parameters<typeof read>[0]) => {
    try {
      read(mounts)
      return 'read'
    } catch (error) {
      return errorCode(error)
    }
  }

  test(`D09 mounts are no longer than paths and their options can be (${read.name})`, () => {
    expect(read([message()])).toEqual([{ type: 'bind', source: '/a', options: ['rbind', 'ro'] }])
    const path = (length: number) => message({ source: `/${'a'.repeat(length - 1)}` })
    expect([code([path(4096)]), code([path(4097)])]).toEqual(['read', 'invalid_argument'])
    expect(code([message({ type: 'x'.repeat(4097) })])).toBe('invalid_argument')
    expect(code([message({ source: '/a\0b' })])).toBe('invalid_argument')
    const many = (count: number) => Array.from({ length: count }, () => message())
    expect([code(many(256)), code(many(257))]).toEqual(['read', 'invalid_argument'])
    // As many lower directories as the kernel takes, with long names, fit.
    const lower = (length: number) => message({ options: [`lowerdir=${'/a'.repeat(length / 2)}`] })
    expect([code([lower(1_000_000)]), code([lower(1_100_000)])]).toEqual(['read', 'invalid_argument'])
    expect(code([message({ options: Array<string>(600_000).fill('ro') })])).toBe('invalid_argument')
  })
}

test('mounts of a root filesystem can have targets, those of a layer cannot', () => {
  const mounts = [message({ target: '/below' })]
  expect(fromRootfsMessages(mounts)).toEqual([
    { type: 'bind', source: '/a', target: '/below', options: ['rbind', 'ro'] },
  ])
  expect(() => fromMountMessages(mounts)).toThrow(expect.objectContaining({ code: 'unimplemented' }))
})
