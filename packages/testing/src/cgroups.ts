import { existsSync } from 'node:fs'
import { readdir, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

/** The directories of a cgroup at the root of each hierarchy that has it. */
export async function cgroupPaths(name: string): Promise<string[]> {
  const hierarchies = await readdir('/sys/fs/cgroup', { withFileTypes: true })
  const roots = hierarchies.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
  return ['', ...roots].map((root) => join('/sys/fs/cgroup', root, name)).filter((path) => existsSync(path))
}

/** All cgroups of the host whose names begin like this; others may come and go meanwhile. */
export async function cgroupsNamed(prefix: string, directory = '/sys/fs/cgroup'): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENODEV') return []
    throw error
  })
  const inside = entries
    .filter((entry) => entry.isDirectory())
    .map(async ({ name }) => {
      const path = join(directory, name)
      return [...(name.startsWith(prefix) ? [path] : []), ...(await cgroupsNamed(prefix, path))]
    })
  return (await Promise.all(inside)).flat()
}

/** Removes a cgroup that runtimes leave as the parent of their containers' cgroups; it must be empty. */
export async function removeCgroup(name: string): Promise<void> {
  for (const path of await cgroupPaths(name)) await rmdir(path)
}
