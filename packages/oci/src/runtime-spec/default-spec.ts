import { posix } from 'node:path'
import { defaultCapabilities } from './capability.ts'
import type { Mount, Spec } from './spec.ts'

export interface DefaultSpecOptions {
  /** The namespace that the container belongs to. */
  readonly namespace: string
  /** The container's id; empty for a spec that is only shown. */
  readonly id?: string
  /** In the form of GOOS; `linux` by default. */
  readonly os?: string
}

/** The version of the runtime specification that specs of this package follow. */
export const specVersion = '1.2.0'

const noExec = ['nosuid', 'noexec', 'nodev']

/**
 * The spec of a container without options, the same as that of stock `ctr` 1.7.24 (`ctr oci spec`). On Linux,
 * `process.args` must be set before it can run.
 *
 * A new value at each call.
 */
export function defaultSpec({ namespace, id = '', os = 'linux' }: DefaultSpecOptions): Spec {
  const user = { uid: 0, gid: 0 }
  if (os === 'windows') {
    return {
      ociVersion: specVersion,
      process: { user, cwd: 'C:\\' },
      root: { path: '' },
      windows: { layerFolders: null },
    }
  }
  if (os === 'darwin') return { ociVersion: specVersion, process: { user, cwd: '/' }, root: { path: '' } }
  return {
    ociVersion: specVersion,
    process: {
      user,
      cwd: '/',
      // No inheritable and no ambient ones: users other than root would keep those after an execve
      // (docs/threat-model.md B12).
      capabilities: {
        bounding: [...defaultCapabilities],
        effective: [...defaultCapabilities],
        permitted: [...defaultCapabilities],
      },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs' },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: [...noExec] },
      tmpfs('/dev'),
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
      {
        destination: '/dev/shm',
        type: 'tmpfs',
        source: 'shm',
        options: [...noExec, 'mode=1777', 'size=65536k'],
      },
      { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: [...noExec] },
      { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...noExec, 'ro'] },
      tmpfs('/run'),
    ],
    linux: {
      resources: { devices: [{ allow: false, access: 'rwm' }] },
      cgroupsPath: posix.join('/', namespace, id),
      namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }, { type: 'network' }],
      maskedPaths: [
        '/proc/acpi',
        '/proc/asound',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/proc/sched_debug',
        '/sys/firmware',
        '/sys/devices/virtual/powercap',
        '/proc/scsi',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  }
}

function tmpfs(destination: string): Mount {
  const options = ['nosuid', 'strictatime', 'mode=755', 'size=65536k']
  return { destination, type: 'tmpfs', source: 'tmpfs', options }
}
