import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'

/** A hierarchy of cgroups of the host. */
export interface Hierarchy {
  readonly mountPoint: string
  readonly version: 1 | 2
}

/** The directory of a cgroup in one hierarchy; it need not exist. */
export interface CgroupDirectory {
  readonly directory: string
  readonly hierarchy: Hierarchy
}

/**
 * Looks a path up in each hierarchy of the host.
 * @throws `invalid_argument` for a path that leaves the hierarchy
 */
export function cgroupDirectories(path: string): CgroupDirectory[] {
  if (path.split('/').includes('..'))
    throw new NsboxError('invalid_argument', `cgroup ${JSON.stringify(path)}`)
  return hierarchies().map((hierarchy) => ({ directory: join(hierarchy.mountPoint, path), hierarchy }))
}

/**
 * Where the hierarchies of cgroups are mounted (proc_pid_mountinfo(5)); the first place of each, since others, such as
 * CRIU's, may go at any moment.
 */
function hierarchies(): Hierarchy[] {
  const found = new Map<string, Hierarchy>()
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [before, after] = line.split(' - ')
    const type = after?.split(' ')[0]
    const [, , device, , mountPoint] = before!.split(' ')
    if (device === undefined || mountPoint === undefined || found.has(device)) continue
    if (type === 'cgroup') found.set(device, { mountPoint, version: 1 })
    if (type === 'cgroup2') found.set(device, { mountPoint, version: 2 })
  }
  return [...found.values()]
}
