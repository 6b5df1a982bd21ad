import { describe, expect, it } from 'vitest'
import {
  buildSpec,
  defaultSpec,
  type SpecOption,
  withAllDevices,
  withAnnotations,
  withApparmorProfile,
  withBlockIo,
  withCapabilities,
  withCgroup,
  withCpu,
  withCpuPeriod,
  withCpuQuota,
  withCpuShares,
  withCpus,
  withCpusetCpus,
  withCpusetMems,
  withDefaultSeccomp,
  withDefaultUnixDevices,
  withDevices,
  withHooks,
  withHostNamespace,
  withHostNetwork,
  withHostname,
  withMaskedHardware,
  withMemory,
  withMemoryLimit,
  withMounts,
  withNamespace,
  withOomScoreAdj,
  withoutMounts,
  withPidsLimit,
  withPrivileged,
  withProcessArgs,
  withRdtClass,
  withReadonlyPaths,
  withReadonlyRootfs,
  withRlimit,
  withRootfs,
  withRootfsPropagation,
  withRootless,
  withSeccomp,
  withTty,
  withUser,
  withUserNamespace,
} from './index.ts'

const base = defaultSpec({ namespace: 'a', id: 'b' })
const build = (...options: SpecOption[]) => buildSpec(base, [withProcessArgs(['true']), ...options])
const mapping = [{ containerID: 0, hostID: 1000, size: 1 }]
const device = { path: '/dev/x', type: 'c', major: 10, minor: 1 } as const

const options: Record<string, SpecOption> = {
  withAllDevices: withAllDevices([device]),
  withAnnotations: withAnnotations({ a: 'b' }),
  withApparmorProfile: withApparmorProfile('some'),
  withBlockIo: withBlockIo({ weight: 10 }),
  withCapabilities: withCapabilities(['CAP_KILL']),
  withCgroup: withCgroup('/x'),
  withCpu: withCpu({ idle: 1 }),
  withDefaultSeccomp: withDefaultSeccomp(),
  withDefaultUnixDevices: withDefaultUnixDevices(),
  withDevices: withDevices([device, { path: '/dev/p', type: 'p' }]),
  withHooks: withHooks({ poststop: [{ path: '/bin/true' }] }),
  withHostNamespace: withHostNamespace('pid'),
  withHostNetwork: withHostNetwork({ hostname: 'h' }),
  withHostname: withHostname('h'),
  withMaskedHardware: withMaskedHardware(2),
  withMounts: withMounts([{ destination: '/m', type: 'tmpfs' }]),
  withNamespace: withNamespace('network', '/n'),
  withOomScoreAdj: withOomScoreAdj(5),
  withPidsLimit: withPidsLimit(5),
  withPrivileged: withPrivileged({ capabilities: ['CAP_KILL'] }),
  withRdtClass: withRdtClass('some'),
  withReadonlyRootfs: withReadonlyRootfs(),
  withRlimit: withRlimit('RLIMIT_NOFILE', 5, 6),
  withRootfs: withRootfs('/r', { readonly: true }),
  withRootfsPropagation: withRootfsPropagation('rshared'),
  withRootless: withRootless({ uidMappings: mapping, gidMappings: mapping }),
  withTty: withTty(),
  withUserNamespace: withUserNamespace({ uid: mapping, gid: mapping }),
}

/** Makes every later write to a value throw. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}

describe('every option', () => {
  const frozen = freeze({ ...structuredClone(base), extra: { kept: true } })

  it.each(Object.entries(options))(
    '%s leaves the spec that it is given as it was, and what it does not know',
    (_, option) => {
      const changed = option(frozen)
      expect(changed).not.toEqual(frozen)
      expect(changed).toMatchObject({ extra: { kept: true } })
    },
  )

  it.each(Object.entries(options))('%s shares nothing between two specs', (_, option) => {
    const before = structuredClone(build(option))
    freeze(build(option))
    expect(build(option)).toEqual(before)
    expect(Object.isFrozen(build(option).process)).toBe(false)
  })
})

it('options apply in their order', () => {
  expect(build(withRlimit('RLIMIT_CPU', 1), withRlimit('RLIMIT_CPU', 2)).process?.rlimits).toEqual([
    { type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 },
    { type: 'RLIMIT_CPU', hard: 2, soft: 2 },
  ])
})

it('a spec that no option makes valid is refused', () => {
  expect(() => buildSpec(base, [])).toThrow('spec: process.args: no program is named: invalid argument')
  expect(() => buildSpec({ ociVersion: '1.2.0' }, [])).toThrow('spec: process: is missing')
})

it('options for Linux refuse a container of Windows', () => {
  const windows = defaultSpec({ namespace: 'a', os: 'windows' })
  expect(() => withHostNamespace('pid')(windows)).toThrow(
    expect.objectContaining({ code: 'invalid_argument' }),
  )
})

it('limits the time of processors', () => {
  expect(build(withCpus(1.5)).linux?.resources?.cpu).toEqual({ quota: 150_000, period: 100_000 })
  expect(build(withCpuShares(512), withCpuQuota(2000), withCpuPeriod(5000)).linux?.resources?.cpu).toEqual({
    shares: 512,
    quota: 2000,
    period: 5000,
  })
  expect(build(withCpusetCpus('0-1'), withCpusetMems('0')).linux?.resources?.cpu).toEqual({
    cpus: '0-1',
    mems: '0',
  })
  for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 0.001])
    expect(() => withCpus(bad)).toThrow('cpus')
})

it('limits memory', () => {
  expect(build(withMemoryLimit(2n ** 60n), withMemory({ swap: -1 })).linux?.resources?.memory).toEqual({
    limit: 2n ** 60n,
    swap: -1,
  })
})

it('sets and takes away the place of the cgroup', () => {
  expect(build(withCgroup('/x')).linux?.cgroupsPath).toBe('/x')
  for (const none of [undefined, '']) expect(build(withCgroup(none)).linux).not.toHaveProperty('cgroupsPath')
})

it('allows a device that it makes, and no FIFO, which needs no leave', () => {
  const { devices, resources } = build(options.withDevices!).linux!
  expect(devices).toHaveLength(2)
  expect(resources?.devices).toEqual([
    { allow: false, access: 'rwm' },
    { allow: true, type: 'c', major: 10, minor: 1, access: 'rwm' },
  ])
})

it('removes mounts', () => {
  const { mounts } = build(withoutMounts(['/run', '/sys']))
  expect(mounts?.map(({ destination }) => destination)).toEqual([
    '/proc',
    '/dev',
    '/dev/pts',
    '/dev/shm',
    '/dev/mqueue',
  ])
})

it('masks and protects paths once', () => {
  const { linux } = build(
    withMaskedHardware(1),
    withMaskedHardware(2),
    withReadonlyPaths(['/proc/sys', '/x']),
  )
  expect(linux?.maskedPaths?.slice(-3)).toEqual([
    '/proc/interrupts',
    '/sys/devices/system/cpu/cpu0/thermal_throttle',
    '/sys/devices/system/cpu/cpu1/thermal_throttle',
  ])
  expect(linux?.readonlyPaths?.slice(-2)).toEqual(['/proc/sysrq-trigger', '/x'])
})

it('adds hooks to those that are there', () => {
  const hook = (path: string) => ({ path })
  const { hooks } = build(
    withHooks({ prestart: [hook('/a')] }),
    withHooks({ prestart: [hook('/b')], poststop: [hook('/c')] }),
  )
  expect(hooks).toEqual({ prestart: [hook('/a'), hook('/b')], poststop: [hook('/c')] })
})

it('says in TERM what a terminal is, unless that is said', () => {
  expect(build(withTty()).process).toMatchObject({ terminal: true, env: ['TERM=xterm'] })
  const said = { ...base, process: { ...base.process!, args: ['a'], env: ['TERM=vt100'] } }
  expect(buildSpec(said, [withTty()]).process?.env).toEqual(['TERM=vt100'])
})

it('joins, makes and leaves namespaces', () => {
  const types = (...each: SpecOption[]) => build(...each).linux?.namespaces
  expect(types(withNamespace('pid', '/x'))?.[0]).toEqual({ type: 'pid', path: '/x' })
  expect(types(withNamespace('cgroup'))?.at(-1)).toEqual({ type: 'cgroup' })
  expect(types(withHostNamespace('uts'))?.map(({ type }) => type)).not.toContain('uts')
})

it('knows the eight propagations, and names of profiles', () => {
  expect(() => withRootfsPropagation('bogus')).toThrow('"bogus" is not one of')
  for (const bad of ['', 'a b', 'a\n']) expect(() => withApparmorProfile(bad)).toThrow('AppArmor')
})

it('a privileged container has no profile, filter, masks or read-only trees', () => {
  const spec = build(
    withApparmorProfile('some'),
    withDefaultSeccomp(),
    withMounts([
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'nosuid'] },
    ]),
    withPrivileged({ capabilities: ['CAP_KILL'] }),
  )
  expect(spec.process).not.toHaveProperty('apparmorProfile')
  for (const field of ['seccomp', 'maskedPaths', 'readonlyPaths'])
    expect(spec.linux).not.toHaveProperty(field)
  expect(spec.mounts?.find(({ type }) => type === 'sysfs')?.options).toEqual([
    'nosuid',
    'noexec',
    'nodev',
    'rw',
  ])
  expect(spec.mounts?.find(({ type }) => type === 'cgroup')?.options).toEqual(['rw', 'nosuid'])
})

it('a filter can be taken away', () => {
  expect(build(withDefaultSeccomp(), withSeccomp(undefined)).linux).not.toHaveProperty('seccomp')
})

it('a rootless container has a user namespace, and nothing that its user cannot have', () => {
  const rootless = { uidMappings: mapping, gidMappings: mapping }
  const user = withUser({ uid: 0, gid: 0, additionalGids: [0, 7] })
  const spec = build(user, withMemoryLimit(5), withRootless(rootless))
  expect(spec.process?.user).toEqual({ uid: 0, gid: 0 })
  expect(spec.linux).toMatchObject(rootless)
  expect(spec.linux?.namespaces).toContainEqual({ type: 'user' })
  for (const field of ['resources', 'cgroupsPath']) expect(spec.linux).not.toHaveProperty(field)
  const pts = (mounts: typeof spec.mounts) => mounts?.find(({ type }) => type === 'devpts')?.options
  expect(pts(spec.mounts)).not.toContain('gid=5')
  const wide = [{ containerID: 0, hostID: 1000, size: 10 }]
  const delegated = build(
    withMemoryLimit(5),
    withRootless({ uidMappings: wide, gidMappings: wide, cgroups: true }),
  )
  expect(pts(delegated.mounts)).toContain('gid=5')
  expect(delegated.linux?.resources?.memory).toEqual({ limit: 5 })
  expect(spec.mounts).toContainEqual(expect.objectContaining({ destination: '/sys', type: 'sysfs' }))
  const bound = build(withHostNamespace('network'), withRootless(rootless))
  expect(bound.mounts).toContainEqual(
    expect.objectContaining({ destination: '/sys', type: 'bind', source: '/sys' }),
  )
})
