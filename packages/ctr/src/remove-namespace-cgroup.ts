import { rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fromSystemError, isErrno } from '@nsbox/errors'
import { listMounts } from '@nsbox/mount'
import { validateIdentifier } from '@nsbox/namespaces'

/**
 * Removes the cgroup that the containers of a namespace had theirs in, from every hierarchy of this host. One that is
 * not there is no error.
 *
 * @throws `failed_precondition` if it has processes or other cgroups in it; `invalid_argument` for a name that is none
 */
export async function removeNamespaceCgroup(namespace: string): Promise<void> {
  // The name becomes part of a path, whatever the server has said to it.
  validateIdentifier(namespace)
  for (const { mountPoint, options, root } of await listMounts({ types: ['cgroup', 'cgroup2'] })) {
    // Other mounts show a part of a hierarchy, or the same one once more.
    if (root !== '/' || options.includes('ro')) continue
    const path = join(mountPoint, namespace)
    try {
      await rmdir(path)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw fromSystemError(error, path)
    }
  }
}
