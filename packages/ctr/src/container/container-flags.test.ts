import { unpackAny } from '@nsbox/api'
import { OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { errorCode } from '@nsbox/errors'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addContainerFlags, type ContainerFlags } from './container-flags.ts'
import { containerRequest } from './container-request.ts'
import { parseIdMapping } from './parse-id-mapping.ts'
import { parseMount } from './parse-mount.ts'
import { parseNamespace } from './parse-namespace.ts'
import { readOnlyMounts } from './read-only-mounts.ts'
import { runtimeOf, withoutPivot } from './runtime-options.ts'

function flagsOf(...args: string[]): ContainerFlags {
  const command = addContainerFlags(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  return command.parse(args, { from: 'user' }).opts()
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return errorCode(error)
  }
}

test.each([
  [
    'type=bind,src=/a,dst=/b,options=rbind:ro',
    { type: 'bind', source: '/a', destination: '/b', options: ['rbind', 'ro'] },
  ],
  ['destination=/b,type=tmpfs', { type: 'tmpfs', destination: '/b' }],
  ['"src=/a,b","dst=/c ""d"""', { source: '/a,b', destination: '/c "d"' }],
])('%s is a mount', (text, mount) => expect(parseMount(text)).toEqual(mount))

test.each(['', 'type=bind', 'dst', 'dst=/a,bad=1', 'dst=/a,"src=/b'])('%j is no mount', (text) => {
  expect(codeOf(() => parseMount(text))).toBe('invalid_argument')
})

test('namespaces are named as in specs or as in /proc', () => {
  expect(parseNamespace('net:/x:y')).toEqual({ type: 'network', path: '/x:y' })
  expect(parseNamespace('mount:/x')).toEqual({ type: 'mount', path: '/x' })
  for (const wrong of ['net', 'net:', 'what:/x', 'constructor:/x']) {
    expect(codeOf(() => parseNamespace(wrong))).toBe('invalid_argument')
  }
})

test('B10 ranges of ids never wrap', () => {
  expect(parseIdMapping('0:100000:65536')).toEqual({ containerID: 0, hostID: 100_000, size: 65_536 })
  for (const wrong of [
    '',
    '0:0',
    '0:0:0',
    '-1:0:1',
    '0:4294967295:1',
    '0:1:4294967295',
    '0:4294967296:1',
    '0:0:1:1',
  ]) {
    expect(codeOf(() => parseIdMapping(wrong))).toBe('invalid_argument')
  }
})

test('a snapshot is looked at without writing to it', () => {
  const overlay = {
    type: 'overlay',
    source: 'overlay',
    options: ['workdir=/w', 'upperdir=/u', 'lowerdir=/l1:/l2'],
  }
  expect(readOnlyMounts([overlay])).toEqual([
    { type: 'overlay', source: 'overlay', options: ['ro', 'lowerdir=/u:/l1:/l2'] },
  ])
  const single = { type: 'overlay', source: 'overlay', options: ['lowerdir=/l1'] }
  expect(readOnlyMounts([single])).toEqual([{ type: 'bind', source: '/l1', options: ['rbind', 'ro'] }])
  const bind = { type: 'bind', source: '/s', options: ['rbind', 'rw'] }
  expect(readOnlyMounts([bind])).toEqual([{ type: 'bind', source: '/s', options: ['rbind', 'ro'] }])
})

test('options of runc are made of the flags, and kept when one is added', () => {
  const { name, options } = runtimeOf(
    flagsOf('--runc-binary', 'crun', '--runc-root', '/r', '--runc-systemd-cgroup'),
  )
  expect(name).toBe('io.containerd.runc.v2')
  const expected = { binaryName: 'crun', root: '/r', systemdCgroup: true }
  expect(unpackAny(OptionsSchema, options!)).toMatchObject(expected)
  expect(unpackAny(OptionsSchema, withoutPivot(options))).toMatchObject({ ...expected, noPivotRoot: true })
  expect(runtimeOf(flagsOf('--runtime', 'other'))).toEqual({ name: 'other' })
  const refused = [
    flagsOf('--runtime', 'other', '--runc-root', '/r'),
    flagsOf('--runtime-config-path', '/c', '--runc-root', '/r'),
  ]
  for (const flags of refused) expect(codeOf(() => runtimeOf(flags))).toBe('invalid_argument')
  const foreign = runtimeOf(flagsOf('--runtime', 'other', '--runtime-config-path', '/c')).options
  expect(codeOf(() => withoutPivot(foreign))).toBe('invalid_argument')
})

test('arguments are an image, an id and a program, or an id alone for a spec of its own', () => {
  const flags = flagsOf()
  expect(containerRequest(flags, ['image', 'id', 'sh', '-c'])).toEqual({
    id: 'id',
    from: { image: 'image' },
    args: ['sh', '-c'],
    flags,
  })
  expect(containerRequest(flagsOf('--rootfs'), ['/dir', 'id']).from).toEqual({ directory: '/dir' })
  expect(containerRequest(flagsOf('--config', '/c'), ['id']).from).toBeUndefined()
})
