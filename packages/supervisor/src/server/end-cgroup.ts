import { closeSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isErrno, isNsboxError, NsboxError } from '@nsbox/errors'
import { openPidfd, signalPidfd } from '@nsbox/sys/processes'
import { cgroupDirectories } from './cgroup-hierarchies.ts'

const SIGKILL = 9
const interval = 20
/** Milliseconds, after which a process that cannot be killed keeps its cgroup. */
const patience = 30_000

/**
 * Kills the processes of a cgroup, and removes it from each hierarchy of the host that has it. It must have no cgroups
 * in it.
 *
 * @throws `invalid_argument` for a path that leaves the hierarchy, and for a cgroup with this process in it;
 * `deadline_exceeded` if its processes do not end
 */
export async function endCgroup(path: string): Promise<void> {
  const directories = cgroupDirectories(path).map(({ directory }) => directory)
  for (const begin = performance.now(); ; await delay(interval)) {
    const left = directories.filter((directory) => !isRemoved(directory))
    if (left.length === 0) return
    if (performance.now() - begin > patience)
      throw new NsboxError('deadline_exceeded', `removing the cgroup ${JSON.stringify(path)}`)
    for (const directory of left) killProcesses(directory)
  }
}

function isRemoved(directory: string): boolean {
  try {
    rmdirSync(directory)
    return true
  } catch (error) {
    if (isErrno(error, 'EBUSY')) return false
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV')) return true
    throw error
  }
}

function killProcesses(directory: string): void {
  for (const pid of pidsIn(directory)) {
    if (pid === process.pid)
      throw new NsboxError('invalid_argument', `cgroup ${JSON.stringify(directory)} of the supervisor`)
    const pidfd = pidfdOf(pid)
    if (pidfd === undefined) continue
    try {
      // The pid may have been reused: the process of the pidfd is in the cgroup, or has ended.
      if (pidsIn(directory).includes(pid)) signalPidfd(pidfd, SIGKILL)
    } finally {
      closeSync(pidfd)
    }
  }
}

function pidsIn(directory: string): number[] {
  try {
    // 0 stands for a process that this process cannot see.
    return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').map(Number).filter(Boolean)
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENODEV')) return []
    throw error
  }
}

function pidfdOf(pid: number): number | undefined {
  try {
    return openPidfd(pid)
  } catch (error) {
    if (isNsboxError(error) && error.details.errno === 'ESRCH') return undefined
    throw error
  }
}
