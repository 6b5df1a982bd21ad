import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'

/**
 * Moves this process into a cgroup that exists: the path is looked up in each hierarchy of the host.
 * @throws `invalid_argument` for a path that leaves the hierarchy; `not_found` if no hierarchy has it
 */
export function joinCgroup(path: string): void {
  if (path.split('/').includes('..'))
    throw new NsboxError('invalid_argument', `cgroup ${JSON.stringify(path)}`)
  const directories = hierarchies().map((mountPoint) => join(mountPoint, path))
  const found = directories.filter((directory) => existsSync(join(directory, 'cgroup.procs')))
  if (found.length === 0) throw new NsboxError('not_found', `cgroup ${JSON.stringify(path)}`)
  for (const directory of found) writeFileSync(join(directory, 'cgroup.procs'), String(process.pid))
}

/**
 * Where the hierarchies of cgroups are mounted, of both versions (proc_pid_mountinfo(5)); the first place of each,
 * since others, such as CRIU's, may go at any moment.
 */
function hierarchies(): string[] {
  const mountPoints = new Map<string, string>()
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [before, after] = line.split(' - ')
    const type = after?.split(' ')[0]
    const [, , device, , mountPoint] = before!.split(' ')
    if (device === undefined || mountPoint === undefined || mountPoints.has(device)) continue
    if (type === 'cgroup' || type === 'cgroup2') mountPoints.set(device, mountPoint)
  }
  return [...mountPoints.values()]
}
