import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, statfsSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { directoriesUser } from '@nsbox/client'
import { planUserNamespace, userNamespaceRefusal } from '@nsbox/sys/user-namespaces'
import { removeTree } from '@nsbox/trees'
import { defaultDirectories } from '../configuration/default-directories.ts'
import { cgroups } from './cgroups.ts'
import type { Finding } from './finding.ts'
import { kernel } from './kernel.ts'
import { answerOf, programFinding } from './program-finding.ts'

/** Fewer bytes than this are left on a disk that a few images fill. */
const littleSpace = 2 * 1024 ** 3

/** Fewer files than this have the images of one distribution. */
const fewFiles = 50_000

/**
 * Looks at what this user can do on this host, and with what: programs, namespaces, cgroups and room. Changes nothing.
 *
 * @param root the data root; that of this user's servers by default
 */
export async function checkHost({
  root = defaultDirectories().root,
}: {
  readonly root?: string
} = {}): Promise<Finding[]> {
  const isRoot = process.geteuid?.() === 0
  const findings = [room(root)]
  if (process.platform !== 'linux') return findings
  findings.push(kernel())
  if (!isRoot) findings.push(namespaces(), ids(), socketDirectory())
  findings.push(
    await overlays(isRoot, root),
    runc(),
    await cgroups(isRoot),
    isRoot ? plugins() : userNetwork(),
    checkpoints(isRoot),
    decompressor(),
  )
  return findings
}

function room(root: string): Finding {
  const subject = 'room'
  const neededFor = 'images and snapshots'
  const { bavail, bsize, files, ffree } = statfsSync(existing(root))
  const free = bavail * bsize
  // Some file systems make inodes as they are needed, and count none.
  const few = files > 0 && ffree < fewFiles
  const found = `${(free / 1024 ** 3).toFixed(1)} GiB ${few ? `and ${ffree} files ` : ''}free for ${root}`
  if (free >= littleSpace && !few) return { subject, state: 'ok', found, neededFor }
  return { subject, state: 'limited', found, neededFor, wayOut: 'name another directory by --root' }
}

function namespaces(): Finding {
  const about = { subject: 'user namespaces', neededFor: 'mounts, containers and files of other users' }
  const refusal = userNamespaceRefusal()
  if (refusal === undefined) return { ...about, state: 'ok', found: 'can be made' }
  return {
    ...about,
    state: 'missing',
    found: refusal,
    wayOut:
      'as root set user.max_user_namespaces above 0, and where they exist kernel.unprivileged_userns_clone=1 and ' +
      'kernel.apparmor_restrict_unprivileged_userns=0, by sysctl; or use a server that root runs',
  }
}

function ids(): Finding {
  const about = { subject: 'subordinate ids', neededFor: 'files and processes of more users than one' }
  const { lacking, uids, gids } = planUserNamespace()
  const count = (ranges: typeof uids) => ranges.reduce((sum, range) => sum + range.count, 0)
  const enough = 'user and group ids of a namespace'
  if (lacking === undefined)
    return { ...about, state: 'ok', found: `${Math.min(count(uids), count(gids))} ${enough}` }
  return {
    ...about,
    state: 'limited',
    found: `${lacking}; owners of files are only recorded (user.rootlesscontainers)`,
    wayOut:
      'as root install the package uidmap, and give the user ids: usermod --add-subuids 100000-165535 ' +
      '--add-subgids 100000-165535 USER, with ids that nobody else has',
  }
}

function socketDirectory(): Finding {
  const about = { subject: 'runtime directory', neededFor: 'the socket of a server' }
  const directory = process.env.XDG_RUNTIME_DIR || `/run/user/${directoriesUser()}`
  if (isOwnDirectory(directory)) return { ...about, state: 'ok', found: directory }
  return {
    ...about,
    state: 'limited',
    found: `there is no ${directory} of this user`,
    wayOut: 'set XDG_RUNTIME_DIR to a directory of mode 0700 that ends with the session',
  }
}

async function overlays(isRoot: boolean, root: string): Promise<Finding> {
  const about = {
    subject: 'overlays',
    neededFor: 'snapshots that share files; otherwise each is a copy (native)',
  }
  const refusal = await overlayRefusal(isRoot, existing(root))
  if (refusal === undefined) return { ...about, state: 'ok', found: 'can be mounted' }
  const wayOut = isRoot
    ? 'use a file system with extended attributes, such as ext4, for the data root'
    : 'needs Linux 5.11, user namespaces, and a data root on a file system with extended attributes, such as ext4'
  return { ...about, state: 'limited', found: refusal, wayOut }
}

/** Mounts an overlay, in namespaces that end with it. */
async function overlayRefusal(isRoot: boolean, near: string): Promise<string | undefined> {
  const parent = isWritable(near) ? near : tmpdir()
  const directory = mkdtempSync(join(parent, 'nsbox-doctor-'))
  try {
    const script =
      'cd "$0" && mkdir l u w m && mount -t overlay -o "$1"lowerdir=l,upperdir=u,workdir=w overlay m && umount m'
    const apart = isRoot ? ['-m'] : ['-U', '-r', '-m']
    const args = [...apart, '--', '/bin/sh', '-c', script, directory, isRoot ? '' : 'userxattr,']
    const { error, status, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 10_000 })
    if (error !== undefined) return error.message
    return status === 0 ? undefined : stderr.trim().split('\n')[0] || `mount ended with status ${status}`
  } finally {
    await removeTree(directory)
  }
}

function runc(): Finding {
  return programFinding('runc', {
    neededFor: 'running containers',
    wayOut: 'install the package runc',
    lack: 'missing',
    version: ['--version'],
  })
}

function plugins(): Finding {
  const directory = ['/opt/cni/bin', '/usr/lib/cni'].find((path) => existsSync(join(path, 'bridge')))
  const about = { subject: 'CNI plugins', neededFor: 'networks of containers (ctr run --cni)' }
  if (directory !== undefined) return { ...about, state: 'ok', found: directory }
  return {
    ...about,
    state: 'limited',
    found: 'none',
    wayOut: 'install the package containernetworking-plugins',
  }
}

function userNetwork(): Finding {
  const neededFor = 'networks of containers (ctr run --cni)'
  const pasta = programFinding('pasta', { neededFor, wayOut: 'install the package passt' })
  if (pasta.state !== 'ok' || isWritable('/dev/net/tun')) return pasta
  return {
    ...pasta,
    state: 'limited',
    found: '/dev/net/tun may not be opened',
    wayOut: 'chmod 0666 /dev/net/tun',
  }
}

function checkpoints(isRoot: boolean): Finding {
  const neededFor = 'checkpoints and forks of containers'
  if (!isRoot) {
    const found = 'CRIU needs root of the host'
    return { subject: 'criu', state: 'limited', found, neededFor, wayOut: 'use a server that root runs' }
  }
  const criu = programFinding('criu', {
    neededFor,
    wayOut: 'install the package criu',
    version: ['--version'],
  })
  if (criu.state !== 'ok') return criu
  const checked = answerOf('criu', ['check'])
  if ('text' in checked) return criu
  const wayOut = 'use a kernel with CONFIG_CHECKPOINT_RESTORE; criu check tells more'
  return { ...criu, state: 'limited', found: `${criu.found}: ${checked.failure}`, wayOut }
}

function decompressor(): Finding {
  return programFinding('igzip', {
    neededFor: 'fast decompression of gzip layers',
    wayOut: 'install the package isal',
  })
}

/** The nearest directory above a path that exists. */
function existing(path: string): string {
  return existsSync(path) ? path : existing(dirname(path))
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function isOwnDirectory(path: string): boolean {
  try {
    const found = statSync(path)
    return found.isDirectory() && found.uid === process.geteuid?.()
  } catch {
    return false
  }
}
