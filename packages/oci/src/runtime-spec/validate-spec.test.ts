import { describe, expect, it } from 'vitest'
import { defaultSpec } from './default-spec.ts'
import type { Linux } from './linux.ts'
import type { Process } from './process.ts'
import type { Spec } from './spec.ts'
import { encodeSpec, parseSpec } from './spec-json.ts'
import { validateSpec } from './validate-spec.ts'

const base = defaultSpec({ namespace: 'a', id: 'b' })
const good: Spec = { ...base, process: { ...base.process!, args: ['true'] } }

const withProcess = (process: Partial<Process>): Spec => ({
  ...good,
  process: { ...good.process!, ...process },
})
const withLinux = (linux: Partial<Linux>): Spec => ({ ...good, linux: { ...good.linux, ...linux } })

it('takes the default spec with a program', () => {
  validateSpec(good)
})

it('takes a spec of Windows', () => {
  const windows = defaultSpec({ namespace: 'a', os: 'windows' })
  validateSpec({ ...windows, root: { path: 'C:\\' }, process: { ...windows.process!, args: ['cmd'] } })
})

it('leaves what it does not know to the runtime, whatever its type', () => {
  const { process, ...rest } = good
  const odd = { process: { ...process, capabilities: { later: 5 } }, hooks: { later: { path: 'x' } } }
  validateSpec(parseSpec(encodeSpec({ ...rest, ...odd } as unknown as Spec)))
})

it('takes what is at the bounds', () => {
  validateSpec(
    withProcess({
      user: { uid: 4_294_967_294, gid: 0, additionalGids: [4_294_967_294] },
      rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2n ** 64n - 1n }],
      oomScoreAdj: -1000,
    }),
  )
  validateSpec(
    withLinux({
      namespaces: [{ type: 'user' }],
      uidMappings: [{ containerID: 0, hostID: 0, size: 2 ** 32 - 1 }],
      resources: {
        cpu: { period: 1000, quota: -1, cpus: '0-2,7' },
        memory: { limit: -1 },
        pids: { limit: -1 },
      },
    }),
  )
})

describe('refuses, by its field,', () => {
  it.each<[field: string, spec: Spec]>([
    ['ociVersion', { ...good, ociVersion: '2.0.0' }],
    ['process', { ...good, process: undefined }],
    ['process.args', withProcess({ args: [] })],
    ['process.args', withProcess({ args: [''] })],
    ['process.args[1]', withProcess({ args: ['a', 'b\0'] })],
    ['process.env[1]', withProcess({ env: ['A=1', 'B'] })],
    ['process.env[0]', withProcess({ env: ['A=\0'] })],
    ['process.env[0]', withProcess({ env: ['=1'] })],
    ['process.cwd', withProcess({ cwd: 'relative' })],
    ['process.cwd', withProcess({ cwd: '/proc/self/fd/3' })],
    ['process.cwd', withProcess({ cwd: 'C:\\' })],
    ['process.user.uid', withProcess({ user: { uid: 4_294_967_295, gid: 0 } })],
    ['process.user.gid', withProcess({ user: { uid: 0, gid: -1 } })],
    ['process.user.additionalGids[1]', withProcess({ user: { uid: 0, gid: 0, additionalGids: [1, -1] } })],
    ['process.capabilities.bounding', withProcess({ capabilities: { bounding: ['chown'] } })],
    ['process.capabilities.effective', withProcess({ capabilities: { effective: ['CAP_KILL'] } })],
    [
      'process.capabilities.ambient',
      withProcess({ capabilities: { permitted: ['CAP_KILL'], ambient: ['CAP_KILL'] } }),
    ],
    ['process.rlimits[0].type', withProcess({ rlimits: [{ type: 'NOFILE', soft: 1, hard: 1 }] })],
    ['process.rlimits[0].soft', withProcess({ rlimits: [{ type: 'RLIMIT_CPU', soft: 2, hard: 1 }] })],
    ['process.rlimits[0]', withProcess({ rlimits: [{ type: 'RLIMIT_CPU', soft: -1, hard: 1 }] })],
    [
      'process.rlimits[1].type',
      withProcess({
        rlimits: [
          { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
          { type: 'RLIMIT_CPU', soft: 1, hard: 1 },
        ],
      }),
    ],
    ['process.oomScoreAdj', withProcess({ oomScoreAdj: 1001 })],
    ['root.path', { ...good, root: undefined }],
    ['root.path', { ...good, root: { path: '' } }],
    ['mounts[0].destination', { ...good, mounts: [{ destination: 'relative' }] }],
    ['mounts[0].destination', { ...good, mounts: [{ destination: '/a/../b' }] }],
    ['mounts[0].source', { ...good, mounts: [{ destination: '/a', source: '/b\0' }] }],
    ['mounts[0].options[0]', { ...good, mounts: [{ destination: '/a', options: ['ro\0'] }] }],
    ['hooks.poststop[0].path', { ...good, hooks: { poststop: [{ path: 'relative' }] } }],
    ['annotations', { ...good, annotations: { '': 'x' } }],
    ['hostname', { ...good, hostname: 'a\n127.0.0.1 b' }],
    ['hostname', { ...good, hostname: 'a'.repeat(65) }],
    ['hostname', { ...good, hostname: '' }],
    ['hostname', { ...good, hostname: 'a', linux: { namespaces: [{ type: 'pid' }] } }],
    ['linux.namespaces[0].type', withLinux({ namespaces: [{ type: 'net' as 'network' }] })],
    ['linux.namespaces[1].type', withLinux({ namespaces: [{ type: 'pid' }, { type: 'pid' }] })],
    ['linux.namespaces[0].path', withLinux({ namespaces: [{ type: 'pid', path: 'relative' }] })],
    ['linux.uidMappings', withLinux({ uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] })],
    [
      'linux.gidMappings[0]',
      withLinux({
        namespaces: [{ type: 'user' }],
        gidMappings: [{ containerID: 1, hostID: 0, size: 2 ** 32 - 1 }],
      }),
    ],
    ['linux.maskedPaths[0]', withLinux({ maskedPaths: ['relative'] })],
    ['linux.readonlyPaths[0]', withLinux({ readonlyPaths: ['/a\0'] })],
    ['linux.cgroupsPath', withLinux({ cgroupsPath: '/a/../../b' })],
    ['linux.devices[0].path', withLinux({ devices: [{ path: '/dev/../x', type: 'p' }] })],
    [
      'linux.devices[0].type',
      withLinux({ devices: [{ path: '/dev/x', type: 'x' as 'c', major: 1, minor: 1 }] }),
    ],
    ['linux.devices[0]', withLinux({ devices: [{ path: '/dev/x', type: 'c' }] })],
    ['linux.sysctl["../x"]', withLinux({ sysctl: { '../x': '1' } })],
    [
      'linux.resources.devices[0].access',
      withLinux({ resources: { devices: [{ allow: true, access: 'x' }] } }),
    ],
    [
      'linux.resources.devices[0].type',
      withLinux({ resources: { devices: [{ allow: true, type: 'p' as 'c' }] } }),
    ],
    ['linux.resources.devices[0].major', withLinux({ resources: { devices: [{ allow: true, major: -2 }] } })],
    ['linux.resources.memory.limit', withLinux({ resources: { memory: { limit: -2 } } })],
    ['linux.resources.cpu.period', withLinux({ resources: { cpu: { period: 999 } } })],
    ['linux.resources.cpu.quota', withLinux({ resources: { cpu: { quota: 999 } } })],
    ['linux.resources.cpu.shares', withLinux({ resources: { cpu: { shares: -1 } } })],
    ['linux.resources.cpu.cpus', withLinux({ resources: { cpu: { cpus: '0-' } } })],
    ['linux.resources.cpu.mems', withLinux({ resources: { cpu: { mems: 'all' } } })],
    ['linux.resources.pids.limit', withLinux({ resources: { pids: { limit: -2 } } })],
    ['linux.resources.unified["../x"]', withLinux({ resources: { unified: { '../x': '1' } } })],
    ['linux.seccomp.defaultAction', withLinux({ seccomp: { defaultAction: 'ALLOW' as 'SCMP_ACT_ALLOW' } })],
    [
      'linux.seccomp.syscalls[0].names',
      withLinux({
        seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: [], action: 'SCMP_ACT_LOG' }] },
      }),
    ],
    [
      'linux.seccomp.syscalls[0].args[0].index',
      withLinux({
        seccomp: {
          defaultAction: 'SCMP_ACT_ALLOW',
          syscalls: [
            { names: ['a'], action: 'SCMP_ACT_LOG', args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] },
          ],
        },
      }),
    ],
    [
      'linux.seccomp.architectures[0]',
      withLinux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['amd64'] } }),
    ],
    [
      'linux.devices[0].major',
      withLinux({ devices: [{ path: '/a', type: 'c', major: '1' as unknown as number }] }),
    ],
    ['mounts', { ...good, mounts: {} as [] }],
  ])('%s', (field, spec) => {
    expect(() => validateSpec(spec)).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message: expect.stringMatching(new RegExp(`^spec: ${field.replace(/[[\].]/g, '\\$&')}: `)),
      }),
    )
  })
})
