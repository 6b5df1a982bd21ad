import type { Mount } from '@nsbox/core/snapshots'

/** A recursive bind mount of a directory. */
export function bindMount(source: string, access: 'ro' | 'rw'): Mount {
  return { type: 'bind', source, options: [access, 'rbind'] }
}
