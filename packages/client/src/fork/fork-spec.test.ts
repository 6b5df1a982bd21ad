import { defaultSpec, encodeSpec, parseSpec, type Spec } from '@nsbox/oci/runtime-spec'
import { expect, test } from 'vitest'
import { copySpec } from './fork-spec.ts'

const base = defaultSpec({ id: 'box', namespace: 'ns' })

async function copyOf(spec: Spec): Promise<Spec> {
  const copy = await copySpec({ typeUrl: 'type', value: encodeSpec(spec) }, 'box', 'box-1')
  expect(copy.typeUrl).toBe('type')
  return parseSpec(copy.value)
}

test('a copy has a cgroup and a hostname of its own, and nothing else changes', async () => {
  const { linux, ...rest } = await copyOf({ ...base, hostname: 'web' })
  expect(linux).toEqual({ ...base.linux, cgroupsPath: '/ns/box-1' })
  const { linux: _, ...others } = base
  expect(rest).toEqual({ ...others, hostname: 'box-1' })
})

test.each([
  ['/ns/box', '/ns/box-1'],
  ['box', 'box-1'],
  ['/other/name', '/other/box-1'],
  ['system.slice:nsbox:box', 'system.slice:nsbox:box-1'],
  ['', ''],
  [undefined, undefined],
])('the cgroup beside %j is %j', async (cgroupsPath, expected) => {
  const { linux } = await copyOf({ ...base, linux: { ...base.linux, cgroupsPath } })
  expect(linux?.cgroupsPath).toBe(expected)
})

test.each([
  ['without a UTS namespace', []],
  ['in that of another container', [{ type: 'uts' as const, path: '/proc/1/ns/uts' }]],
])('a copy %s has no hostname to set', async (_, namespaces) => {
  const linux: Spec['linux'] = { ...base.linux, namespaces: [...namespaces] }
  expect(await copyOf({ ...base, linux })).not.toHaveProperty('hostname')
  expect((await copyOf({ ...base, hostname: 'web', linux })).hostname).toBe('web')
})

test('the variable HOSTNAME follows', async () => {
  const process = { ...base.process!, env: ['HOSTNAME=web', 'A=web', 'HOSTNAME=box', 'HOSTNAME=other'] }
  expect((await copyOf({ ...base, hostname: 'web', process })).process?.env).toEqual([
    ...['HOSTNAME=box-1', 'A=web', 'HOSTNAME=box-1', 'HOSTNAME=other'],
  ])
})

test('what is no spec of Linux is refused', async () => {
  const invalid = expect.objectContaining({ code: 'invalid_argument' })
  const { linux: _, ...other } = base
  await expect(copyOf(other)).rejects.toEqual(invalid)
  await expect(copySpec({ typeUrl: '', value: new Uint8Array() }, 'a', 'b')).rejects.toEqual(invalid)
})
