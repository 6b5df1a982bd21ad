import { isNsboxError } from '@nsbox/errors'
import { CgroupHost } from '../cgroups/cgroup-host.ts'

/**
 * The cgroup that this process may make those of containers in, by its path in every hierarchy with controllers;
 * undefined if there is none.
 */
export async function delegatedCgroup(): Promise<string | undefined> {
  try {
    return (await CgroupHost.open()).delegated()
  } catch (error) {
    if (isNsboxError(error) && error.code === 'unimplemented') return undefined
    throw error
  }
}
