import { packAny } from '@nsbox/api'
import { OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { errorCode } from '@nsbox/errors'
import {
  bindMount,
  buildSpec,
  defaultSpec,
  encodeSpec,
  parseSpec,
  type SpecOption,
  withAnnotations,
  withCgroup,
  withDefaultUnixDevices,
  withHooks,
  withMounts,
  withProcessArgs,
} from '@nsbox/oci/runtime-spec'
import { expect, test } from 'vitest'
import { restoredRuntime } from './restored-runtime.ts'
import { restoredSpec } from './restored-spec.ts'

const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'
const specWith = (...options: SpecOption[]) => {
  const base = defaultSpec({ namespace: 'origin', id: 'first' })
  const spec = buildSpec(base, [withDefaultUnixDevices(), withProcessArgs(['sh']), ...options])
  return { typeUrl, value: encodeSpec(spec) }
}
const target = { id: 'second', namespace: 'other', trusted: false }
const restoredOf = (given: ReturnType<typeof specWith>, options: Partial<typeof target> = {}) =>
  parseSpec(restoredSpec(given, { ...target, ...options }).value)
const codeOf = (action: () => unknown) => {
  try {
    action()
    return undefined
  } catch (error) {
    return errorCode(error)
  }
}

test('a restored container has a cgroup of its own, and else what its spec says', () => {
  const given = specWith()
  const before = parseSpec(given.value)
  expect(before.linux?.cgroupsPath).toBe('/origin/first')
  expect(restoredOf(given)).toEqual({
    ...before,
    linux: { ...before.linux, cgroupsPath: '/other/second' },
  })
  const systemd = specWith(withCgroup('system.slice:nsbox:first'))
  expect(restoredOf(systemd, { trusted: true }).linux?.cgroupsPath).toBe('system.slice:nsbox:second')
  expect(restoredOf(systemd).linux?.cgroupsPath).toBe('/other/second')
})

test('D11 annotations of a checkpoint give no orders unless it is trusted', () => {
  const given = specWith(withAnnotations({ 'cdi.k8s.io/gpu': 'vendor.com/gpu=0' }))
  expect(restoredOf(given).annotations).toBeUndefined()
  expect(restoredOf(given, { trusted: true }).annotations).toEqual({ 'cdi.k8s.io/gpu': 'vendor.com/gpu=0' })
})

test('D11 a checkpoint reaches the host only if it is trusted, and names what it reaches', () => {
  const given = specWith(
    withMounts([bindMount('/', '/host')]),
    withHooks({ createRuntime: [{ path: '/bin/sh' }] }),
  )
  expect(() => restoredOf(given)).toThrow(/mounts\[7\] at \/host, hooks\.createRuntime: permission denied$/)
  expect(restoredOf(given, { trusted: true }).mounts).toHaveLength(8)
  const many = specWith(withMounts(Array.from({ length: 1000 }, (_, n) => bindMount('/', `/${n}`))))
  expect(() => restoredOf(many)).toThrow(/ and 992 more: permission denied$/)
})

test('D11 what is no spec is refused, trusted or not', () => {
  const bad = [
    Buffer.from('{'),
    Buffer.from('{"ociVersion":"1.2.0","ociVersion":"1.2.0"}'),
    Buffer.from('{"ociVersion":"1.2.0","root":{"path":"rootfs"}}'),
    encodeSpec({ ...parseSpec(specWith().value), mounts: [{ destination: '/../x' }] }),
  ]
  for (const value of bad) {
    for (const trusted of [true, false])
      expect(codeOf(() => restoredSpec({ typeUrl, value }, { ...target, trusted }))).toBe('invalid_argument')
  }
})

test('D11 a checkpoint chooses no program of the host unless it is trusted', () => {
  const options = (fields: object) => packAny(OptionsSchema, fields)
  const runc = { name: 'io.containerd.runc.v2' }
  expect(restoredRuntime({}, { trusted: false })).toEqual(runc)
  const harmless = [runc, { ...runc, options: options({}) }, { ...runc, options: options({ ioUid: 1 }) }]
  for (const runtime of harmless) expect(restoredRuntime({ runtime }, { trusted: false })).toEqual(runtime)
  const harmful = [
    { name: '/tmp/program' },
    { name: 'io.containerd.other.v1' },
    { ...runc, options: options({ binaryName: '/tmp/program' }) },
    { ...runc, options: options({ root: '/etc' }) },
    { ...runc, options: options({ criuImagePath: '/tmp' }) },
    { ...runc, options: options({ noPivotRoot: true }) },
    { ...runc, options: options({ taskApiAddress: 'unix:///run/x' }) },
    // A field that is not defined yet.
    { ...runc, options: { typeUrl: OptionsSchema.typeName, value: Uint8Array.of(0x98, 0x06, 1) } },
    { ...runc, options: { typeUrl: 'runtimeoptions.v1.Options', value: Uint8Array.of(0x12, 1, 0x2f) } },
  ]
  for (const runtime of harmful) {
    expect(codeOf(() => restoredRuntime({ runtime }, { trusted: false }))).toBe('permission_denied')
    expect(restoredRuntime({ runtime }, { trusted: true })).toEqual(runtime)
  }
})
