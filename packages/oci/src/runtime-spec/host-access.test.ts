import { expect, test } from 'vitest'
import { withAddedCapabilities, withDroppedCapabilities } from './capability-options.ts'
import { defaultSpec } from './default-spec.ts'
import { withAllDevices, withDefaultUnixDevices, withDeviceRules, withDevices } from './device-options.ts'
import { hostAccess } from './host-access.ts'
import { bindMount, withMounts, withRootfsPropagation } from './mount-options.ts'
import { withHostNetwork, withNamespace, withUserNamespace } from './namespace-options.ts'
import { withMaskedHardware } from './path-options.ts'
import { withPrivileged } from './privileged.ts'
import { withOomScoreAdj, withTty } from './process-options.ts'
import { withCpus, withMemoryLimit, withRdtClass } from './resource-options.ts'
import { withDefaultSeccomp } from './seccomp-profile.ts'
import type { Mount, Spec } from './spec.ts'
import type { SpecOption } from './spec-option.ts'
import { withAnnotations, withHooks, withRootfs } from './spec-options.ts'

const ordinary = withDefaultUnixDevices()(defaultSpec({ namespace: 'default', id: 'x' }))
const accessOf = (...options: SpecOption[]) =>
  hostAccess(options.reduce((spec: Spec, option) => option(spec), ordinary))

test('what limits a container, or is its own, is no access to the host', () => {
  expect(accessOf()).toEqual([])
  expect(
    accessOf(
      ...[withTty(), withMemoryLimit(1n << 30n), withCpus(1), withDefaultSeccomp(), withMaskedHardware(2)],
      withDroppedCapabilities(['CAP_CHOWN']),
      withUserNamespace({
        uid: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
        gid: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
      }),
      withMounts([
        { destination: '/tmp', type: 'tmpfs', source: 'tmpfs' },
        { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] },
      ]),
      withRootfsPropagation('rslave'),
    ),
  ).toEqual([])
})

const idMapped = { uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] }

const change = (part: object): SpecOption => {
  return (spec) => ({ ...spec, ...part })
}
const linux = (part: object): SpecOption => {
  return (spec) => ({ ...spec, linux: { ...spec.linux, ...part } })
}
const resources = (part: object): SpecOption => {
  return (spec) => linux({ resources: { ...spec.linux?.resources, ...part } })(spec)
}
const process = (part: object): SpecOption => {
  return (spec) => ({ ...spec, process: { ...spec.process!, ...part } })
}

test.each<[string, SpecOption[], string[]]>([
  [
    'what may be anything to another runtime',
    [change({ hooks: { later: { path: '/x' } } }), process({ capabilities: { all: 'yes', none: null } })],
    ['process.capabilities.all', 'hooks.later'],
  ],
  ['a directory of the host', [withMounts([bindMount('/etc', '/x')])], ['mounts[7] at /x']],
  [
    'a bind mount under the name of another type',
    [withMounts([{ destination: '/x', type: 'tmpfs', source: '/etc', options: ['rbind'] }])],
    ['mounts[7] at /x'],
  ],
  [
    'a file system of a device',
    [withMounts([{ destination: '/x', type: 'ext4', source: '/dev/sda' }])],
    ['mounts[7] at /x'],
  ],
  [
    'a second /proc',
    [withMounts([{ destination: '/x', type: 'proc', source: 'proc' }])],
    ['mounts[7] at /x'],
  ],
  [
    'writable cgroups',
    [
      withMounts([
        { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro', 'rw'] },
      ]),
    ],
    ['mounts[7] at /sys/fs/cgroup'],
  ],
  ['another root', [withRootfs('/')], ['root.path /']],
  ['a root beside the bundle', [withRootfs('rootfs/../..')], ['root.path rootfs/../..']],
  ['hooks', [withHooks({ prestart: [{ path: '/bin/true' }] })], ['hooks.prestart']],
  ['annotations', [withAnnotations({ 'cdi.k8s.io/x': 'vendor/gpu=0' })], ['annotations cdi.k8s.io/x']],
  ['a capability', [withAddedCapabilities(['CAP_SYS_ADMIN'])], ['process.capabilities CAP_SYS_ADMIN']],
  [
    'an ambient capability',
    [process({ capabilities: { ambient: ['CAP_BPF'] } })],
    ['process.capabilities CAP_BPF'],
  ],
  ['to be spared', [withOomScoreAdj(-1000)], ['process.oomScoreAdj -1000']],
  [
    'a class of I/O',
    [process({ ioPriority: { class: 'IOPRIO_CLASS_RT', priority: 0 } })],
    ['process.ioPriority'],
  ],
  ['a label', [process({ selinuxLabel: 'u:r:spc_t:s0' })], ['process.selinuxLabel']],
  ['a scheduler', [process({ scheduler: { policy: 'SCHED_FIFO' } })], ['process.scheduler']],
  [
    'a namespace',
    [withNamespace('pid', '/proc/1/ns/pid')],
    ['linux.namespaces pid of the host', 'linux.namespaces pid at /proc/1/ns/pid'],
  ],
  [
    'a user namespace',
    [withNamespace('user', '/proc/1/ns/user')],
    ['linux.namespaces user at /proc/1/ns/user'],
  ],
  [
    'a device',
    [withDevices([{ path: '/dev/sda', type: 'b', major: 8, minor: 0 }])],
    ['linux.devices /dev/sda', 'linux.resources.devices b 8:0 rwm'],
  ],
  ['all devices', [withAllDevices([])], ['linux.resources.devices do not begin with a rule that denies all']],
  [
    'devices that a rule without numbers allows',
    [withDeviceRules([{ allow: true, type: 'c', access: 'rwm' }])],
    ['linux.resources.devices c *:* rwm'],
  ],
  [
    'no rules',
    [linux({ resources: {} })],
    ['linux.resources.devices do not begin with a rule that denies all'],
  ],
  [
    'a process of the host that is moved',
    [resources({ unified: { 'memory.high': '1', 'cgroup.procs': '1', 'memory.x/../../cgroup.procs': '1' } })],
    ['linux.resources.unified cgroup.procs', 'linux.resources.unified memory.x/../../cgroup.procs'],
  ],
  ['shared mounts', [withRootfsPropagation('rshared')], ['linux.rootfsPropagation rshared']],
  ['a class of cache', [withRdtClass('x')], ['linux.intelRdt']],
  ['network devices', [linux({ netDevices: { eth0: {} } })], ['linux.netDevices']],
  [
    'a listener',
    [linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: '/run/x' } })],
    ['linux.seccomp.listenerPath'],
  ],
  [
    'what is hidden',
    [linux({ maskedPaths: ordinary.linux!.maskedPaths!.slice(1) })],
    ['linux.maskedPaths without /proc/acpi'],
  ],
  [
    'the host’s /sys, made writable by a change of the mount that is there',
    [withMounts([{ destination: '/sys', type: 'tmpfs', source: 'x', options: ['remount', 'rw'] }])],
    ['mounts[7] at /sys'],
  ],
  [
    'an option of a mount that nobody knows',
    [withMounts([{ destination: '/x', type: 'tmpfs', options: ['size=1m', 'lowerdir=/etc'] }])],
    ['mounts[7] at /x'],
  ],
  [
    'a mapping of a mount',
    [withMounts([{ destination: '/x', type: 'tmpfs', ...idMapped } as Mount])],
    ['mounts[7].uidMappings'],
  ],
  [
    'something new deep inside',
    [resources({ memory: { limit: 1, future: 1 } }), process({ user: { uid: 0, gid: 0, username: 'x' } })],
    ['process.user.username', 'linux.resources.memory.future'],
  ],
  ['something new', [change({ future: { path: '/' } })], ['future']],
  ['a virtual machine', [change({ vm: { kernel: { path: '/x' } } })], ['vm']],
])('D11 %s is', (_, options, expected) => expect(accessOf(...options)).toEqual(expected))

test('D11 everything that a privileged container has is', () => {
  const access = accessOf(
    withPrivileged({ capabilities: ['CAP_SYS_ADMIN'] }),
    withHostNetwork({ hostname: 'h' }),
  )
  expect(access).toEqual(
    expect.arrayContaining([
      'process.capabilities CAP_SYS_ADMIN',
      'linux.namespaces network of the host',
      'linux.maskedPaths without /proc/kcore',
      'linux.readonlyPaths without /proc/sys',
      expect.stringMatching(/^mounts\[\d\] at \/sys$/),
    ]),
  )
})
