import { readdirSync, readlinkSync } from 'node:fs'

/** The processes of a container, as far as they are signalled and listed. */
export interface ContainerProcesses {
  /** The pids on the host, ordered. */
  pids(): Promise<number[]>
  /** Whether a process is one of them now. */
  has(pid: number): boolean
  /** The directory of their cgroup in a hierarchy; undefined if there is none. */
  directory(controller: string): string | undefined
}

/**
 * The processes of a container without a cgroup, by its pid namespace, with whose first process all others end.
 *
 * @param pid of the first process
 * @returns undefined if that has ended, or is in the pid namespace of this process
 */
export function namespaceProcesses(pid: number): ContainerProcesses | undefined {
  const own = namespaceOf('self')
  const namespace = namespaceOf(pid)
  if (namespace === undefined || namespace === own) return undefined
  const has = (each: number) => namespaceOf(each) === namespace
  return {
    has,
    async pids() {
      const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
      return all
        .map(Number)
        .filter(has)
        .sort((a, b) => a - b)
    },
    directory: () => undefined,
  }
}

function namespaceOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    // It has ended, or is another user's.
    return undefined
  }
}
