import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isErrno, NsboxError } from '@nsbox/errors'
import { unmount } from '@nsbox/mount'
import { signalPidfd } from '@nsbox/sys/processes'
import type { Bundle } from '../bundle/bundle.ts'
import type { ContainerCgroup } from '../cgroups/container-cgroup.ts'
import { pidfdOf, signalAll } from '../cgroups/signal-processes.ts'
import type { Runc } from '../runc/runc.ts'
import { hasEnded } from './has-ended.ts'

/** A restore that has failed, or was interrupted. */
export interface UndoneRestore {
  readonly runc: Runc
  /** Its path tells the processes of the runtime. */
  readonly bundle: Bundle
  /** Where CRIU and what it restores are, and nobody else; undefined if that is not known. */
  readonly cgroup: ContainerCgroup | undefined
}

const SIGKILL = 9
/** Milliseconds that CRIU is given to find nobody to report to, and to take back what it has done. */
const grace = 2_000
/** Milliseconds after which something does not end. */
const patience = 10_000

/**
 * Removes what a restore has left: its processes, mounts, the runtime's state and the cgroup.
 *
 * A runtime that is killed leaves the root filesystem mounted within its state. To have it remove that state would remove
 * the files of the root filesystem, so that the mount goes first, once nobody is there who could make it.
 */
export async function undoRestore({ runc, bundle, cgroup }: UndoneRestore): Promise<void> {
  const { root } = runc.options
  if (root === undefined) throw new NsboxError('internal', 'the runtime keeps its state where it likes')
  await endAll(bundle.path, cgroup)
  for (const path of [join(root, bundle.id, 'criu-root'), ...cgroupYards(bundle)])
    await unmount(path, { recursive: true, lazy: true, noFollow: true })
  await runc.delete(bundle.id, { force: true })
  cgroup?.remove()
}

async function endAll(bundle: string, cgroup: ContainerCgroup | undefined): Promise<void> {
  const begin = performance.now()
  for (;;) {
    const runtimes = runtimesOf(bundle)
    for (const pid of runtimes) killRuntime(pid, bundle)
    const others = (cgroup?.pids() ?? []).filter((pid) => !hasEnded(pid))
    if (runtimes.length + others.length === 0) return
    const since = performance.now() - begin
    if (cgroup !== undefined && (since > grace || !others.some(isCriu))) signalAll(cgroup, SIGKILL)
    if (since > patience)
      throw new NsboxError('deadline_exceeded', `processes ${[...runtimes, ...others].join(', ')} do not end`)
    await delay(5)
  }
}

/** CRIU, and what it has not made into something else yet. */
function isCriu(pid: number): boolean {
  return readProcess(pid, 'comm') === 'criu\n'
}

/** Where CRIU has mounted the cgroups of the host, unless it was told to work elsewhere. */
function cgroupYards({ criu }: Bundle): string[] {
  return readdirSync(criu).flatMap((name) => (name.startsWith('.criu.cgyard.') ? [join(criu, name)] : []))
}

function runtimesOf(bundle: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && restores(pid, bundle))
}

function restores(pid: number, bundle: string): boolean {
  const line = readProcess(pid, 'cmdline')
  return line.includes('\0restore\0') && line.includes(`\0--bundle\0${bundle}\0`)
}

/** Empty if it has ended. */
function readProcess(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ESRCH')) return ''
    throw error
  }
}

function killRuntime(pid: number, bundle: string): void {
  const descriptor = pidfdOf(pid)
  if (descriptor === undefined) return
  try {
    // The number could mean another process since.
    if (restores(pid, bundle)) signalPidfd(descriptor, SIGKILL)
  } finally {
    closeSync(descriptor)
  }
}
