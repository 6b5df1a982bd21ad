import type { Mount } from '@nsbox/core/snapshots'

/** Shows a directory in another place, whatever is mounted in it included. */
export function bindMount(source: string, access: 'ro' | 'rw'): Mount {
  return { type: 'bind', source, options: [access, 'rbind'] }
}
