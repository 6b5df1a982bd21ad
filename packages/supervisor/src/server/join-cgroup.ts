import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { cgroupDirectories, type Hierarchy } from './cgroup-hierarchies.ts'

/**
 * Moves this process into a cgroup: the path is looked up in each hierarchy of the host.
 *
 * @param options.make whether it is made in every hierarchy that lacks it; false by default
 * @throws `invalid_argument` for a path that leaves the hierarchy; `not_found` if no hierarchy has it
 */
export function joinCgroup(path: string, { make = false }: { readonly make?: boolean } = {}): void {
  const what = `cgroup ${JSON.stringify(path)}`
  try {
    const found = cgroupDirectories(path).flatMap(({ directory, hierarchy }) => {
      if (make) makeCgroup(directory, hierarchy)
      return existsSync(join(directory, 'cgroup.procs')) ? [directory] : []
    })
    if (found.length === 0) throw new NsboxError('not_found', what)
    for (const directory of found) writeFileSync(join(directory, 'cgroup.procs'), String(process.pid))
  } catch (error) {
    throw fromSystemError(error, what)
  }
}

/** Makes a cgroup that takes processes, and those above it. */
function makeCgroup(directory: string, hierarchy: Hierarchy): void {
  const above = dirname(directory)
  if (directory !== hierarchy.mountPoint && above.startsWith(hierarchy.mountPoint))
    makeCgroup(above, hierarchy)
  if (!existsSync(directory)) mkdirSync(directory)
  if (hierarchy.version === 2 || directory === hierarchy.mountPoint) return
  // A new cgroup of version 1 has no processors and takes no process (cpuset(7)).
  for (const file of ['cpuset.cpus', 'cpuset.mems'].filter((name) => existsSync(join(directory, name))))
    if (readFileSync(join(directory, file), 'utf8').trim() === '')
      writeFileSync(join(directory, file), readFileSync(join(above, file)))
}
