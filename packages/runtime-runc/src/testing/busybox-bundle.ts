import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Options of test containers. */
export interface BundleSpec {
  readonly args: readonly string[]
  readonly cgroupsPath?: string | undefined
  /** Kinds besides mount, which is always there; those of runc's default if absent. */
  readonly namespaces?: readonly string[] | undefined
  readonly resources?: Readonly<Record<string, unknown>> | undefined
  readonly hooks?: Readonly<Record<string, readonly unknown[]>> | undefined
  /** First of the host's 65,536 ids for a user namespace of its own. */
  readonly userNamespace?: number | undefined
  readonly terminal?: boolean | undefined
  /** User id, root by default; the group id is the same. */
  readonly uid?: number | undefined
}

const applets = 'sh cat sleep true false echo dd tail id kill head tr mkdir ls stty yes tty'.split(' ')

/** Fills an existing directory with a root file system that has busybox. */
export async function busyboxRootfs(directory: string): Promise<void> {
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp']) await mkdir(join(directory, name))
  await cp('/usr/bin/busybox', join(directory, 'bin/busybox'))
  for (const applet of applets) await symlink('busybox', join(directory, 'bin', applet))
}

/** The OCI process of a command, for `runc exec --process`. */
export function testProcess({
  args,
  terminal = false,
  uid = 0,
}: Pick<BundleSpec, 'args' | 'terminal' | 'uid'>) {
  return {
    terminal,
    user: { uid, gid: uid },
    args,
    env: ['PATH=/bin', 'TERM=xterm'],
    cwd: '/',
    noNewPrivileges: true,
  }
}

/** A minimal OCI runtime specification that runs; its root is `rootfs` in the bundle. */
export function testSpec(spec: BundleSpec): Record<string, unknown> {
  const { userNamespace, resources } = spec
  const kinds = spec.namespaces ?? ['pid', 'network', 'ipc', 'uts', 'cgroup']
  const mapping = [{ containerID: 0, hostID: userNamespace, size: 65536 }]
  return {
    ociVersion: '1.2.0',
    process: testProcess(spec),
    root: { path: 'rootfs' },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=64k'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666'],
      },
    ],
    ...(spec.hooks === undefined ? {} : { hooks: spec.hooks }),
    linux: {
      ...(spec.cgroupsPath === undefined ? {} : { cgroupsPath: spec.cgroupsPath }),
      ...(userNamespace === undefined ? {} : { uidMappings: mapping, gidMappings: mapping }),
      namespaces: ['mount', ...kinds, ...(userNamespace === undefined ? [] : ['user'])].map((type) => ({
        type,
      })),
      resources: { ...resources, devices: [{ allow: false, access: 'rwm' }] },
    },
  }
}

/** Fills an existing directory with a bundle. */
export async function busyboxBundle(directory: string, spec: BundleSpec): Promise<void> {
  await mkdir(join(directory, 'rootfs'))
  await busyboxRootfs(join(directory, 'rootfs'))
  await writeFile(join(directory, 'config.json'), JSON.stringify(testSpec(spec)))
}
