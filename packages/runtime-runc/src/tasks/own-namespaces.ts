import { readlinkSync } from 'node:fs'
import { isErrno, NsboxError } from '@nsbox/errors'

/** Kinds of namespaces, by their names in `/proc/<pid>/ns` (namespaces(7)). */
const kinds: Readonly<Record<string, string>> = {
  cgroup: 'cgroup',
  ipc: 'ipc',
  mount: 'mnt',
  network: 'net',
  pid: 'pid',
  time: 'time',
  user: 'user',
  uts: 'uts',
}

/**
 * Checks that a restored process has namespaces of its own: CRIU makes those of its images, whatever the spec says.
 *
 * @param types as in a spec
 * @throws `failed_precondition` for one that it shares with this process
 */
export function checkOwnNamespaces(pid: number, types: readonly string[]): void {
  for (const type of types) {
    const kind = kinds[type]
    if (kind === undefined || namespaceOf(pid, kind) !== namespaceOf('self', kind)) continue
    throw new NsboxError(
      'failed_precondition',
      `the ${type} namespace is that of the host in the checkpoint, and one of the container’s own in its spec`,
    )
  }
}

/** Undefined for a process that has ended. */
function namespaceOf(pid: number | 'self', kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`)
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return undefined
    throw error
  }
}
