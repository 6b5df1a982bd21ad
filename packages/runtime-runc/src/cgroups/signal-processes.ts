import { closeSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { isErrno, isNsboxError, NsboxError } from '@nsbox/errors'
import { isReady } from '@nsbox/sys/descriptors'
import { openPidfd, processStat, signalPidfd } from '@nsbox/sys/processes'
import type { ContainerProcesses } from './namespace-processes.ts'

const SIGKILL = 9
const mostRounds = 100
/** How many processes are signalled before the event loop may run: a container can have very many. */
const batch = 64

/**
 * Signals one process of a container. Safe if the pid is reused: the pidfd is opened first, and the pid is then looked
 * up in the cgroup. If it belongs to another process by then, the process of the pidfd has ended and gets no signal.
 *
 * With cgroup v1, a frozen process gets the signal when it is thawed.
 *
 * @throws not_found if there is no such process in the container
 */
export function signalProcess(cgroup: ContainerProcesses, pid: number, signal: number): void {
  if (signalMember(cgroup, pid, signal)) return
  throw new NsboxError('not_found', `process ${pid} of the container`)
}

/**
 * Signals all processes of a container; with SIGKILL, also those that appear meanwhile.
 * @returns how many were signalled; unknown, and at least one, where the kernel does it in one step
 */
export async function signalAll(cgroup: ContainerProcesses, signal: number): Promise<number> {
  if (signal === SIGKILL && (await cgroup.pids()).length > 0 && killAtOnce(cgroup)) return 1
  // With the start time, since pids are reused where many processes are forked.
  const signalled = new Set<string>()
  for (let round = 0; round < mostRounds; round++) {
    const before = signalled.size
    let looked = 0
    for (const pid of await cgroup.pids()) {
      if (++looked % batch === 0) await setImmediate()
      const process = `${pid} ${processStat(pid)?.startTime}`
      if (!signalled.has(process) && signalMember(cgroup, pid, signal)) signalled.add(process)
    }
    if (signalled.size === before || signal !== SIGKILL) break
  }
  return signalled.size
}

function signalMember(cgroup: ContainerProcesses, pid: number, signal: number): boolean {
  const descriptor = pidfdOf(pid)
  if (descriptor === undefined) return false
  try {
    // The pidfd of an ended process is readable; the process stays in the cgroup until its parent has waited for it.
    return cgroup.has(pid) && !isReady(descriptor, 'read') && signalPidfd(descriptor, signal)
  } finally {
    closeSync(descriptor)
  }
}

/** Undefined if there is no such process, or the pid is a thread's; otherwise the caller closes it. */
export function pidfdOf(pid: number): number | undefined {
  if (!Number.isInteger(pid) || pid <= 0 || pid > 0x7fffffff) return undefined
  try {
    return openPidfd(pid)
  } catch (error) {
    const errno = isNsboxError(error) ? error.details.errno : undefined
    // EINVAL, or ENOENT since Linux 6.13, for threads.
    if (errno === 'ESRCH' || errno === 'EINVAL' || errno === 'ENOENT') return undefined
    throw error
  }
}

/** Linux 5.14 can kill a whole cgroup of the unified hierarchy, which hybrid hosts have too. */
function killAtOnce(cgroup: ContainerProcesses): boolean {
  const directory = cgroup.directory('')
  if (directory === undefined) return false
  try {
    writeFileSync(join(directory, 'cgroup.kill'), '1', { flag: 'r+' })
    return true
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EOPNOTSUPP') || isErrno(error, 'ENOTSUP')) return false
    throw error
  }
}
