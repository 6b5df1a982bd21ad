import { errorCode } from '@nsbox/errors'
import {
  buildSpec,
  defaultSpec,
  encodeSpec,
  type Spec,
  withDefaultSeccomp,
  withEnv,
  withMemoryLimit,
  withPidsLimit,
  withProcessArgs,
  withTty,
} from '@nsbox/oci/runtime-spec'
import { describe, expect, test } from 'vitest'
import { admitContainer, admitNone, admitRuntimeOptions } from './tenant-container.ts'
import { admitProcess, admitResources, admitSpec } from './tenant-spec.ts'

const whose = { namespace: 'tenant', id: 'c' }
const usual = [withProcessArgs(['sh']), withEnv(['PATH=/bin'])]
const ordinary = buildSpec(defaultSpec(whose), usual)
const any = (value: unknown) => ({
  typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
  value: encodeSpec(value as Spec),
})

function refusal(work: () => void): string {
  try {
    work()
    return 'none'
  } catch (error) {
    return `${errorCode(error)} ${(error as Error).message}`
  }
}

type Change = (spec: Spec) => object
const linux =
  (part: object): Change =>
  (spec) => ({ ...spec, linux: { ...spec.linux, ...part } })
const process =
  (part: object): Change =>
  (spec) => ({ ...spec, process: { ...spec.process, ...part } })
const resources = (part: object): Change => linux({ resources: { ...ordinary.linux?.resources, ...part } })
const top =
  (part: object): Change =>
  (spec) => ({ ...spec, ...part })
const mount = (given: object): Change => top({ mounts: [...ordinary.mounts!, given] })
const namespaces = (...given: object[]): Change =>
  linux({ namespaces: [...ordinary.linux!.namespaces!, ...given] })

describe('a spec of a tenant’s container', () => {
  test('is let through as clients make it, with limits, a terminal and a filter', () => {
    admitSpec(any(ordinary), whose)
    const more = [withTty(), withMemoryLimit(1n << 30n), withPidsLimit(100), withDefaultSeccomp()]
    admitSpec(any(buildSpec(defaultSpec(whose), [...usual, ...more])), whose)
    admitSpec(
      any(mount({ destination: '/tmp', type: 'tmpfs', options: ['size=1m', 'nodev'] })(ordinary)),
      whose,
    )
    admitSpec(any(linux({ sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.msgmax': '1' } })(ordinary)), whose)
  })

  test.each<[string, Change, string]>([
    [
      'a directory of the host',
      mount({ destination: '/x', type: 'bind', source: '/', options: ['rbind'] }),
      'mounts[7] at /x',
    ],
    [
      'one under another type',
      mount({ destination: '/x', type: 'tmpfs', source: '/', options: ['bind'] }),
      'mounts[7]',
    ],
    [
      'a mount changed',
      mount({ destination: '/sys', type: 'sysfs', options: ['ro', 'remount'] }),
      'mounts[7]',
    ],
    ['an overlay', mount({ destination: '/x', type: 'overlay', options: ['lowerdir=/etc'] }), 'mounts[7]'],
    [
      'a FUSE or device file system',
      mount({ destination: '/x', type: 'ext4', source: '/dev/sda' }),
      'mounts[7]',
    ],
    [
      'an idmapped mount',
      mount({ destination: '/x', type: 'tmpfs', uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] }),
      'uidMappings',
    ],
    [
      'cgroups of all',
      mount({ destination: '/sys/fs/cgroup', type: 'cgroup', options: ['ro'] }),
      'linux.namespaces without cgroup',
    ],
    ['hooks', top({ hooks: { createRuntime: [{ path: '/bin/sh' }] } }), 'hooks.createRuntime'],
    ['hooks of a later version', top({ hooks: { future: [{ path: '/bin/sh' }] } }), 'hooks.future'],
    ['another root', top({ root: { path: '/' } }), 'root.path'],
    ['annotations', top({ annotations: { 'org.criu.config': '/x' } }), 'annotations org.criu.config'],
    [
      'a device',
      linux({ devices: [{ path: '/dev/sda', type: 'b', major: 8, minor: 0 }] }),
      'linux.devices /dev/sda',
    ],
    [
      'rules that allow all devices',
      resources({ devices: [{ allow: true, access: 'rwm' }] }),
      'linux.resources.devices',
    ],
    ['no rules for devices', linux({ resources: {} }), 'linux.resources.devices'],
    [
      'the host’s network',
      linux({ namespaces: ordinary.linux!.namespaces!.slice(0, 4) }),
      'linux.namespaces network of the host',
    ],
    [
      'a namespace by its path',
      linux({
        namespaces: [...ordinary.linux!.namespaces!.slice(1), { type: 'pid', path: '/proc/1/ns/pid' }],
      }),
      'linux.namespaces pid',
    ],
    ['a user namespace', namespaces({ type: 'user' }), 'linux.namespaces user'],
    ['a namespace of time', namespaces({ type: 'time' }), 'linux.namespaces time'],
    ['a capability', process({ capabilities: { bounding: ['CAP_SYS_ADMIN'] } }), 'CAP_SYS_ADMIN'],
    ['new privileges', process({ noNewPrivileges: false }), 'noNewPrivileges'],
    ['a profile of AppArmor', process({ apparmorProfile: 'unconfined' }), 'apparmorProfile'],
    ['a label of SELinux', process({ selinuxLabel: 'x' }), 'selinuxLabel'],
    ['to be spared', process({ oomScoreAdj: -1 }), 'oomScoreAdj'],
    ['a scheduler', process({ scheduler: { policy: 'SCHED_FIFO' } }), 'scheduler'],
    ['a priority of I/O', process({ ioPriority: { class: 'IOPRIO_CLASS_RT', priority: 0 } }), 'ioPriority'],
    ['processors of its own', process({ execCPUAffinity: { initial: '0' } }), 'execCPUAffinity'],
    [
      'a limit beyond bounds',
      process({ rlimits: [{ type: 'RLIMIT_RTPRIO', soft: 1, hard: 1 }] }),
      'RLIMIT_RTPRIO',
    ],
    ['an unknown limit', process({ rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] }), 'RLIMIT_X'],
    ['less hidden', linux({ maskedPaths: [] }), 'linux.maskedPaths'],
    ['less read-only', linux({ readonlyPaths: [] }), 'linux.readonlyPaths'],
    [
      'a setting of the host',
      linux({ sysctl: { 'kernel.core_pattern': '|/x' } }),
      'linux.sysctl kernel.core_pattern',
    ],
    ['a setting by a path', linux({ sysctl: { 'net/../kernel/core_pattern': 'x' } }), 'linux.sysctl'],
    ['shared mounts', linux({ rootfsPropagation: 'rshared' }), 'rootfsPropagation'],
    ['another cgroup', linux({ cgroupsPath: '/system.slice/x' }), 'linux.cgroupsPath'],
    ['no cgroup', linux({ cgroupsPath: undefined }), 'linux.cgroupsPath'],
    ['a cgroup that only begins like its own', linux({ cgroupsPath: '/tenant/c/../../x' }), 'cgroup'],
    ['a class of cache', linux({ intelRdt: { closID: 'x' } }), 'linux.intelRdt'],
    ['network devices', linux({ netDevices: { eth0: {} } }), 'linux.netDevices'],
    ['a personality', linux({ personality: { domain: 'LINUX32' } }), 'linux.personality'],
    ['a label of mounts', linux({ mountLabel: 'x' }), 'linux.mountLabel'],
    [
      'a listener',
      linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/x' } }),
      'listenerPath',
    ],
    [
      'files of a cgroup',
      resources({ unified: { 'cpuset.cpus.partition': 'root' } }),
      'cpuset.cpus.partition',
    ],
    ['memory that others cannot have', resources({ memory: { reservation: 1 << 30 } }), 'reservation'],
    ['real time', resources({ cpu: { realtimeRuntime: 1000 } }), 'realtimeRuntime'],
    ['a virtual machine', top({ vm: { kernel: { path: '/x' } } }), 'vm'],
    ['what nobody knows', top({ future: 1 }), 'future'],
    ['what nobody knows, deep inside', resources({ pids: { limit: 1, future: '/x' } }), 'future'],
  ])('F03 is refused with %s', (_, change, field) => {
    const text = refusal(() => admitSpec(any(change(ordinary)), whose))
    expect(text).toMatch(/^(permission_denied|invalid_argument) /)
    expect(text).toContain(field)
  })

  test('F03 is refused if two readers could understand it differently', () => {
    const json = new TextDecoder().decode(encodeSpec(ordinary))
    for (const odd of [
      json.replace('{', '{"hooks":{},"hooks":{"prestart":[{"path":"/x"}]},'),
      json.replace('"root"', '"Root"'),
      json.replace('"linux":{', '"linux":{"Devices":[{"path":"/dev/sda","type":"b","major":8,"minor":0}],'),
      `\ufeff${json}`,
      `${json}{}`,
    ]) {
      const value = new TextEncoder().encode(odd)
      expect(refusal(() => admitSpec({ typeUrl: '', value }, whose))).toMatch(/^invalid_argument /)
    }
  })

  test('F03 is refused if it would take long to look at', () => {
    const { process } = ordinary
    const args = ['sh', '-c', 'x'.repeat(300_000)]
    expect(refusal(() => admitSpec(any({ ...ordinary, process: { ...process, args } }), whose))).toMatch(
      /^invalid_argument .*more than/,
    )
  })

  test('F03 names the cgroup of another container or namespace in vain', () => {
    for (const other of [
      { namespace: 'tenant', id: 'd' },
      { namespace: 'other', id: 'c' },
    ])
      expect(refusal(() => admitSpec(any(ordinary), other))).toContain('linux.cgroupsPath')
  })
})

describe('what else a tenant says of a container', () => {
  test('F03 one more process has no more than the first', () => {
    const first = ordinary.process!
    admitProcess(any(first))
    for (const part of [
      { noNewPrivileges: false },
      {
        capabilities: { ...first.capabilities, ambient: ['CAP_SYS_PTRACE'], inheritable: ['CAP_SYS_PTRACE'] },
      },
      { apparmorProfile: 'unconfined' },
      { oomScoreAdj: -5 },
      { rlimits: [{ type: 'RLIMIT_NICE', soft: 40, hard: 40 }] },
      { future: 1 },
    ])
      expect(refusal(() => admitProcess(any({ ...first, ...part })))).toMatch(/^(permission_denied|invalid)/)
  })

  test('F03 limits are limits', () => {
    admitResources(any({ memory: { limit: 1 << 20 }, cpu: { shares: 10 }, pids: { limit: 5 } }))
    for (const part of [
      { devices: [{ allow: true, type: 'a', access: 'rwm' }] },
      { unified: { 'cgroup.procs': '1' } },
      { unified: { 'memory.min': '1' } },
      { memory: { disableOOMKiller: true } },
      { network: { classID: 1 } },
      { cpu: { realtimePeriod: 5 } },
      { future: 1 },
    ])
      expect(refusal(() => admitResources(any(part)))).toMatch(/^permission_denied /)
  })

  test('F03 the runtime is the server’s own, without options', () => {
    const container = { id: 'c', spec: any(ordinary) }
    for (const name of ['io.containerd.runc.v2', 'io.containerd.runc.v1'])
      admitContainer({ ...container, runtime: { name } }, 'tenant')
    for (const name of ['/bin/sh', 'io.containerd.kata.v2', 'io.containerd.runc.v3', ''])
      expect(refusal(() => admitContainer({ ...container, runtime: { name } }, 'tenant'))).toContain(
        'permission_denied',
      )
    admitRuntimeOptions({ value: new Uint8Array(0) })
    expect(refusal(() => admitRuntimeOptions({ value: new Uint8Array(1) }))).toContain('permission_denied')
  })

  test('F03 what names a path must be empty', () => {
    admitNone({ stdin: '', stdout: undefined, annotations: [] })
    for (const given of [{ stdin: '/x' }, { checkpoint: {} }, { annotations: ['x'] }])
      expect(refusal(() => admitNone(given))).toContain('permission_denied')
  })
})
