import { defaultSpec, encodeSpec, parseSpec, type Resources, type Spec } from '@nsbox/oci/runtime-spec'
import { describe, expect, test } from 'vitest'
import { type HostLimits, limitedSpec } from './host-limits.ts'

const typeUrl = 'types.containerd.io/opencontainers/runtime-spec/1/Spec'
const ids = (count: number) => [{ inside: 0, outside: 1000, count }]
const limits: HostLimits = { uids: ids(10), gids: ids(10), groups: true, cgroup: undefined }

const made = (spec: Spec, within: HostLimits = limits): Spec =>
  parseSpec(limitedSpec({ typeUrl, value: encodeSpec(spec) }, within).value)

const base = defaultSpec({ namespace: 'default', id: 'one' })
const withUser = (uid: number, additionalGids: number[] = []): Spec => ({
  ...base,
  process: { ...base.process!, user: { uid, gid: 0, additionalGids } },
})
const withResources = (resources: Resources): Spec => ({ ...base, linux: { ...base.linux, resources } })

describe('the spec of a container of an ordinary user', () => {
  test('has no cgroup where none is delegated, and no groups that the namespace lacks', () => {
    const { linux, process } = made(withUser(9, [5, 10]))
    expect([linux?.cgroupsPath, linux?.resources]).toEqual([undefined, undefined])
    expect(process?.user).toEqual({ uid: 9, gid: 0, additionalGids: [5] })
    expect(made(withUser(0, [5]), { ...limits, groups: false }).process?.user).toEqual({ uid: 0, gid: 0 })
  })

  test('has its cgroup and limits below the one that is delegated', () => {
    const { linux } = made(withResources({ memory: { limit: 1 << 20 } }), { ...limits, cgroup: '/user' })
    expect(linux).toMatchObject({
      cgroupsPath: '/user/default/one',
      resources: { memory: { limit: 1 << 20 } },
    })
  })

  test('has no owners of mounts that the namespace lacks', () => {
    const devpts = (spec: Spec) => spec.mounts?.find(({ type }) => type === 'devpts')?.options
    expect(devpts(made(base))).toContain('gid=5')
    expect(devpts(made(base, { ...limits, gids: ids(1) }))).not.toContain('gid=5')
  })

  test('keeps what no reader of JSON may round', () => {
    const rlimits = [{ type: 'RLIMIT_CORE', hard: 2n ** 64n - 1n, soft: 0 }]
    const spec = made({ ...base, process: { ...base.process!, rlimits } })
    expect(spec.process?.rlimits).toEqual(rlimits)
  })

  test.each<[string, Resources]>([
    ['memory', { memory: { limit: 1 << 20 } }],
    ['cpu', { cpu: { shares: 512 } }],
    ['pids', { pids: { limit: 100 } }],
    ['unified', { unified: { 'memory.high': 'max' } }],
  ])('is refused with limits of %s that nothing could enforce', (name, resources) => {
    const error = expect.objectContaining({
      code: 'failed_precondition',
      context: expect.stringContaining(`(${name}) need a cgroup`),
    })
    expect(() => made(withResources(resources))).toThrow(error)
  })

  test('may name limits that are none', () => {
    const none: Resources = { cpu: { shares: 1024, cpus: '' }, memory: { limit: -1 }, pids: { limit: 0 } }
    expect(made(withResources(none)).linux?.resources).toBeUndefined()
  })

  test('is refused for a user that the namespace lacks', () => {
    const error = expect.objectContaining({ code: 'failed_precondition' })
    expect(() => made(withUser(10))).toThrow(error)
  })
})
