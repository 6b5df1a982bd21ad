import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What a test container runs. */
export interface BusyboxBundleOptions {
  readonly args: readonly string[]
  readonly terminal?: boolean
  readonly uid?: number
  /** The container's own process ids; true by default. */
  readonly pidNamespace?: boolean
  readonly cgroupsPath: string
}

const commands = [
  'sh',
  'cat',
  'echo',
  'sleep',
  'ls',
  'id',
  'stty',
  'yes',
  'head',
  'dd',
  'true',
  'kill',
  'tty',
]

/** Makes a bundle for runc whose root filesystem is a static busybox. @returns its directory */
export async function busyboxBundle(directory: string, options: BusyboxBundleOptions): Promise<string> {
  const rootfs = join(directory, 'rootfs')
  for (const name of ['bin', 'dev', 'proc', 'sys', 'tmp'])
    await mkdir(join(rootfs, name), { recursive: true })
  await copyFile('/usr/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const command of commands) await symlink('busybox', join(rootfs, 'bin', command))
  await writeFile(join(directory, 'config.json'), JSON.stringify(spec(options)))
  return directory
}

/** The OCI process of a command, as the file for `runc exec --process` has it. */
export function busyboxProcess({
  args,
  terminal = false,
  uid = 0,
}: Omit<BusyboxBundleOptions, 'cgroupsPath'>) {
  return { terminal, user: { uid, gid: uid }, args, env: ['PATH=/bin'], cwd: '/', capabilities: {} }
}

function spec(options: BusyboxBundleOptions) {
  const namespaces = ['ipc', 'uts', 'mount', ...(options.pidNamespace === false ? [] : ['pid'])]
  return {
    ociVersion: '1.0.2',
    process: busyboxProcess(options),
    root: { path: 'rootfs' },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      {
        destination: '/dev/pts',
        type: 'devpts',
        source: 'devpts',
        options: ['nosuid', 'noexec', 'newinstance'],
      },
    ],
    linux: { namespaces: namespaces.map((type) => ({ type })), cgroupsPath: options.cgroupsPath },
  }
}
