import type { JsonObject } from '@nsbox/oci'
import { expect, test } from 'vitest'
import { specPaths } from './spec-paths.ts'

const of = (spec: object) => specPaths(spec as JsonObject)

test('are the mounts of a spec, and its root unless that is the bundle’s own', () => {
  const mounts = [
    { destination: '/x', type: 'bind', source: '/x', options: ['ro', 5] },
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/y', source: null, options: ['rbind'] },
    'no mount',
    { destination: '/z', type: 5 },
  ]
  expect(of({ root: { path: 'rootfs' }, mounts }).mounts).toEqual([
    { type: 'bind', source: '/x', options: ['ro'] },
    { type: 'proc', source: 'proc', options: [] },
    { type: '', source: '', options: ['rbind'] },
    { type: '', source: '', options: [] },
  ])
  for (const path of ['', './rootfs/', undefined]) expect(of({ root: { path } }).mounts).toEqual([])
  for (const path of ['/a', 'rootfs/../..', '../rootfs'])
    expect(of({ root: { path, readonly: true } }).mounts).toEqual([
      { type: 'bind', source: path, options: ['rbind', 'rw'] },
    ])
})

test('can be changed by who has the right to, in whatever set of capabilities', () => {
  const changes = (capabilities: unknown) => of({ process: { capabilities } }).changesMounts
  expect(changes({ bounding: ['CAP_CHOWN'], ambient: ['CAP_SYS_ADMIN'] })).toBe(true)
  expect(changes({ effective: ['cap_sys_admin'] })).toBe(true)
  expect([changes({ bounding: ['CAP_CHOWN'] }), changes(undefined), changes(null)]).toEqual([
    false,
    false,
    false,
  ])
})

test.each([
  { Mounts: [] },
  { mount\u017f: [] },
  { ROOT: {} },
  { root: { Path: '/x' } },
  { mounts: [{ Source: '/x' }] },
  { mounts: [{ source: '/x', OPTIONS: [] }] },
  { process: { Capabilities: {} } },
])('E02 are refused where a decoder would take another key for one of them: %j', (spec) => {
  expect(() => of(spec)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
})
