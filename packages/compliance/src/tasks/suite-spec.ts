import type { OpaqueValue } from '@nsbox/core/tasks'

/** The first process, or an exec. */
export interface ProcessShape {
  readonly args: readonly string[]
  readonly terminal?: boolean | undefined
  /** Id of a user without privileges; root by default. */
  readonly uid?: number | undefined
  readonly cwd?: string | undefined
}

/** A container of the suite. */
export interface ContainerShape extends ProcessShape {
  /** Whether it shares the host's pid namespace; not by default. */
  readonly hostPids?: boolean | undefined
  /** A shell command to run in the container before the first process executes its program (`startContainer`). */
  readonly startHook?: string | undefined
}

const prefix = 'types.containerd.io/opencontainers/runtime-spec/1/'

/** A container with namespaces of its own, a few file systems, and one program. */
export function containerSpec(id: string, shape: ContainerShape): OpaqueValue {
  const namespaces = ['pid', 'ipc', 'uts', 'mount', 'network'].filter((type) => {
    return !(type === 'pid' && shape.hostPids)
  })
  return json('Spec', {
    ociVersion: '1.0.2',
    process: ociProcess(shape),
    root: { path: 'rootfs' },
    hostname: 'suite',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
      },
    ],
    ...(shape.startHook === undefined ? {} : { hooks: startHooks(shape.startHook) }),
    linux: { cgroupsPath: `/nsbox-suite-${id}`, namespaces: namespaces.map((type) => ({ type })) },
  })
}

function startHooks(script: string) {
  return { startContainer: [{ path: '/bin/sh', args: ['sh', '-c', script], env: ['PATH=/bin'] }] }
}

export function processSpec(shape: ProcessShape): OpaqueValue {
  return json('Process', ociProcess(shape))
}

/** Limits of a cgroup. */
export function resourcesSpec(resources: object): OpaqueValue {
  return json('LinuxResources', resources)
}

function ociProcess({ args, terminal = false, uid = 0, cwd = '/' }: ProcessShape) {
  return {
    terminal,
    user: { uid, gid: uid },
    args,
    env: ['PATH=/bin', 'TERM=xterm'],
    cwd,
    noNewPrivileges: true,
  }
}

function json(kind: string, value: object): OpaqueValue {
  return { typeUrl: `${prefix}${kind}`, value: new TextEncoder().encode(JSON.stringify(value)) }
}
