import { describe, expect, test } from 'vitest'
import { readBundleSpec, readSpecObject } from './bundle-spec.ts'

const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'
const of = (value: unknown) => readBundleSpec({ typeUrl, value: Buffer.from(JSON.stringify(value)) })
const invalid = expect.objectContaining({ code: 'invalid_argument' })

describe('readBundleSpec', () => {
  test('reads what the server needs, and keeps the bytes', async () => {
    const value = Buffer.from('{"process":{"terminal":true},"linux":{"namespaces":[{"type":"pid"}]}}')
    expect(await readBundleSpec({ typeUrl: `type.googleapis.com/${typeUrl}`, value })).toEqual({
      json: value,
      terminal: true,
      ownNamespaces: ['pid'],
      rootGid: undefined,
      paths: { mounts: [], changesMounts: false },
    })
    expect(await of({})).toMatchObject({ terminal: false, ownNamespaces: [], rootGid: undefined })
    const namespaces = [{ type: 'pid', path: '/proc/1/ns/pid' }, { type: 'uts' }, null, { type: 5 }]
    expect((await of({ linux: { namespaces } })).ownNamespaces).toEqual(['uts'])
    const gidMappings = [
      { containerID: 5, hostID: 5, size: 1 },
      { containerID: 0, hostID: 100000, size: 5 },
    ]
    expect((await of({ linux: { gidMappings } })).rootGid).toBe(100000)
  })

  test('has a hostname with a namespace for it, and a cgroup by a path that means the same to everybody', async () => {
    const own = [{ type: 'uts' }]
    expect((await of({ hostname: 'name', linux: { namespaces: own } })).hostname).toBe('name')
    expect((await of({ hostname: '', linux: { namespaces: own } })).hostname).toBeUndefined()
    expect((await of({ hostname: 'name' })).hostname).toBeUndefined()
    const joined = [{ type: 'uts', path: '/proc/1/ns/uts' }]
    expect((await of({ hostname: 'name', linux: { namespaces: joined } })).hostname).toBeUndefined()
    expect((await of({ linux: { cgroupsPath: '/a/../b//c' } })).cgroup).toBe('/b/c')
    for (const cgroupsPath of [undefined, '', 'a', 'system.slice:a:b', 5])
      expect((await of({ linux: { cgroupsPath } })).cgroup).toBeUndefined()
  })

  test.each([-1, 1.5, 2 ** 32 - 1, 2 ** 53, '0', null])(
    'takes no group from a mapping to %j',
    async (hostID) => {
      const { rootGid } = await of({ linux: { gidMappings: [null, { containerID: 0, hostID, size: 1 }] } })
      expect(rootGid).toBeUndefined()
    },
  )

  test.each([
    '',
    'null',
    '[]',
    '"x"',
    '{',
    '{} {}',
    '{"a":1,"a":2}',
    '\ufeff{}',
    '{"linux":[]}',
    '{"process":"x"}',
    `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`,
  ])('refuses %j', async (text) => {
    await expect(readBundleSpec({ typeUrl, value: Buffer.from(text) })).rejects.toThrow(invalid)
  })

  test('refuses bytes that are no text, and values of other types', async () => {
    const noText = readBundleSpec({ typeUrl, value: Uint8Array.of(0x7b, 0xff, 0x7d) })
    await expect(noText).rejects.toThrow(invalid)
    for (const other of [
      '',
      'x',
      typeUrl.replace('Spec', 'Process'),
      `${typeUrl}/x`,
      typeUrl.replace('/1/', '/2/'),
    ])
      await expect(readBundleSpec({ typeUrl: other, value: Buffer.from('{}') })).rejects.toThrow(invalid)
  })
})

test('E08 reads the same spec once, however often it is asked for, and none of more than 4 MiB', async () => {
  const spec = { typeUrl, value: Buffer.from('{"hostname":"name"}') }
  expect(await readBundleSpec({ ...spec })).toBe(await readBundleSpec({ ...spec }))
  const large = Buffer.from(`{"hostname":"${'n'.repeat(4 * 1024 * 1024)}"}`)
  await expect(readBundleSpec({ typeUrl, value: large })).rejects.toThrow(invalid)
})

test('readSpecObject names what it reads', async () => {
  expect(await readSpecObject(Buffer.from('{"a":1}'), 'process')).toEqual({ a: 1 })
  await expect(readSpecObject(Buffer.from('3'), 'process')).rejects.toThrow('process: not a JSON object')
})
