import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listMounts } from '@nsbox/mount'
import { delegatedCgroup } from '@nsbox/runtime-runc'
import type { Finding } from './finding.ts'

const about = { subject: 'cgroups', neededFor: 'limits and metrics of containers, and pausing them' }

/** Controllers of limits that are asked for every day. */
const wanted = ['cpu', 'memory', 'pids']

/** The cgroups that this user can make those of containers in. */
export async function cgroups(isRoot: boolean): Promise<Finding> {
  const { controllers, version } = await controllersOfHost()
  if (version === undefined) {
    const wayOut = 'mount the cgroup file system: mount -t cgroup2 none /sys/fs/cgroup'
    return { ...about, state: isRoot ? 'missing' : 'limited', found: 'none are mounted', wayOut }
  }
  const own = isRoot ? '/' : await delegatedCgroup()
  if (own === undefined) {
    return {
      ...about,
      state: 'limited',
      found: 'none is delegated to this user',
      wayOut:
        'run the server as a service of the user’s systemd with Delegate=yes and DelegateSubgroup=server; ' +
        'containers without limits run without',
    }
  }
  const found = `version ${version}, ${isRoot ? 'of root' : `delegated at ${own}`}`
  const lacking = wanted.filter((name) => !controllers.has(name))
  if (lacking.length === 0) return { ...about, state: 'ok', found }
  return {
    ...about,
    state: 'limited',
    found: `${found}, without ${lacking.join(', ')}`,
    wayOut: 'enable these controllers in the kernel’s configuration and command line (cgroup_enable=memory)',
  }
}

/** The controllers of all hierarchies; version 1 on hybrid hosts, where version 2 has none. */
async function controllersOfHost(): Promise<{ controllers: Set<string>; version: 1 | 2 | undefined }> {
  const mounts = await listMounts({ types: ['cgroup', 'cgroup2'] })
  const older = mounts.flatMap(({ type, superOptions }) => (type === 'cgroup' ? superOptions : []))
  const [unified] = mounts.filter(({ type }) => type === 'cgroup2')
  const newer = unified === undefined ? [] : controllersAt(unified.mountPoint)
  const version = wanted.some((name) => older.includes(name)) ? 1 : unified && 2
  return { controllers: new Set([...older, ...newer]), version }
}

function controllersAt(mountPoint: string): string[] {
  return readFileSync(join(mountPoint, 'cgroup.controllers'), 'utf8').trim().split(' ')
}
