import { describe, expect, test } from 'vitest'
import { parseBundleSpec, parseSpecObject } from './bundle-spec.ts'

const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'
const of = (value: unknown) => parseBundleSpec({ typeUrl, value: Buffer.from(JSON.stringify(value)) })
const invalid = expect.objectContaining({ code: 'invalid_argument' })

describe('parseBundleSpec', () => {
  test('reads what the server needs, and keeps the bytes', () => {
    const value = Buffer.from('{"process":{"terminal":true},"linux":{"namespaces":[{"type":"pid"}]}}')
    expect(parseBundleSpec({ typeUrl: `type.googleapis.com/${typeUrl}`, value })).toEqual({
      json: value,
      terminal: true,
      ownNamespaces: ['pid'],
      rootGid: undefined,
      paths: { mounts: [], changesMounts: false },
    })
    expect(of({})).toMatchObject({ terminal: false, ownNamespaces: [], rootGid: undefined })
    const namespaces = [{ type: 'pid', path: '/proc/1/ns/pid' }, { type: 'uts' }, null, { type: 5 }]
    expect(of({ linux: { namespaces } }).ownNamespaces).toEqual(['uts'])
    const gidMappings = [
      { containerID: 5, hostID: 5, size: 1 },
      { containerID: 0, hostID: 100000, size: 5 },
    ]
    expect(of({ linux: { gidMappings } }).rootGid).toBe(100000)
  })

  test('has a hostname with a namespace for it, and a cgroup by a path that means the same to everybody', () => {
    const own = [{ type: 'uts' }]
    expect(of({ hostname: 'name', linux: { namespaces: own } }).hostname).toBe('name')
    expect(of({ hostname: '', linux: { namespaces: own } }).hostname).toBeUndefined()
    expect(of({ hostname: 'name' }).hostname).toBeUndefined()
    const joined = [{ type: 'uts', path: '/proc/1/ns/uts' }]
    expect(of({ hostname: 'name', linux: { namespaces: joined } }).hostname).toBeUndefined()
    expect(of({ linux: { cgroupsPath: '/a/../b//c' } }).cgroup).toBe('/b/c')
    for (const cgroupsPath of [undefined, '', 'a', 'system.slice:a:b', 5])
      expect(of({ linux: { cgroupsPath } }).cgroup).toBeUndefined()
  })

  test.each([-1, 1.5, 2 ** 32 - 1, 2 ** 53, '0', null])('takes no group from a mapping to %j', (hostID) => {
    expect(
      of({ linux: { gidMappings: [null, { containerID: 0, hostID, size: 1 }] } }).rootGid,
    ).toBeUndefined()
  })

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
  ])('refuses %j', (text) => {
    expect(() => parseBundleSpec({ typeUrl, value: Buffer.from(text) })).toThrow(invalid)
  })

  test('refuses bytes that are no text, and values of other types', () => {
    expect(() => parseBundleSpec({ typeUrl, value: Uint8Array.of(0x7b, 0xff, 0x7d) })).toThrow(invalid)
    for (const other of [
      '',
      'x',
      typeUrl.replace('Spec', 'Process'),
      `${typeUrl}/x`,
      typeUrl.replace('/1/', '/2/'),
    ])
      expect(() => parseBundleSpec({ typeUrl: other, value: Buffer.from('{}') })).toThrow(invalid)
  })
})

test('parseSpecObject names what it reads', () => {
  expect(parseSpecObject(Buffer.from('{"a":1}'), 'process')).toEqual({ a: 1 })
  expect(() => parseSpecObject(Buffer.from('3'), 'process')).toThrow('process: not a JSON object')
})
