import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import type { Bundle } from '@nsbox/bundle'
import { isNotFound, NsboxError } from '@nsbox/errors'
import { unmount } from '@nsbox/mount'
import { processStat, signalPidfd } from '@nsbox/sys/processes'
import type { ContainerCgroup } from '../cgroups/container-cgroup.ts'
import { pidfdOf, signalProcess } from '../cgroups/signal-processes.ts'
import { hasEnded } from '../runc/has-ended.ts'
import type { Runc } from '../runc/runc.ts'
import { criuRoot } from '../runc-internals/state-directory.ts'
import { hasOpen } from './has-open.ts'
import {
  commandLine,
  type HelperProcess,
  helperProcess,
  helperProcesses,
  unlessGone,
} from './helper-processes.ts'

/** A restore that has failed or was interrupted. */
export interface UndoneRestore {
  readonly runc: Runc
  /** The runtime's processes are recognised by its path. */
  readonly bundle: Bundle
  /** The cgroup of CRIU and the restored processes; undefined if it is not known. */
  readonly cgroup: ContainerCgroup | undefined
  /** Whether the cgroup was empty before. Otherwise it is kept, and CRIU ends the processes that it has made. */
  readonly alone: boolean
  /** Pids of processes that do not belong to the restore; nor do their descendants. */
  readonly others: ReadonlySet<number>
}

const SIGKILL = 9
/** How many processes are looked at before the event loop may run. */
const batch = 64
/** Milliseconds for CRIU to notice that its report fails, and to undo its work. */
const grace = 2_000
/** Milliseconds until all processes must have ended. */
const patience = 10_000

/**
 * Removes what a restore has left: its processes, mounts, the runtime's state and the cgroup.
 *
 * A runtime that is killed leaves the root filesystem mounted within its state directory. Deleting that directory would
 * delete the files of the root filesystem, so the mount is removed first, once no process is left that could make it.
 */
export async function undoRestore(restore: UndoneRestore): Promise<void> {
  const { runc, bundle, cgroup, alone } = restore
  const { root } = runc.options
  if (root === undefined) throw new NsboxError('internal', 'the state directory of the runtime is unknown')
  await endAll(restore)
  for (const path of [criuRoot(root, bundle.id), ...cgroupYards(bundle)])
    await unmount(path, { recursive: true, lazy: true, noFollow: true })
  await runc.delete(bundle.id, { force: true })
  if (alone && (await cgroup?.pids())?.length === 0) await cgroup?.remove()
}

async function endAll({ bundle, cgroup, alone, others }: UndoneRestore): Promise<void> {
  const begin = performance.now()
  for (let pause = 5; ; pause = Math.min(2 * pause, 160)) {
    const { runtimes, begun } = await helpersOf(bundle)
    for (const pid of runtimes) killRuntime(pid, bundle.path)
    const left: number[] = []
    for (const [looked, pid] of ((await cgroup?.pids()) ?? []).entries()) {
      if (looked % batch === batch - 1) await setImmediate()
      if (!hasEnded(pid) && !descends(pid, others)) left.push(pid)
    }
    const working = left.filter(isCriu)
    const isLate = performance.now() - begin > grace
    if (runtimes.length + begun.length + (alone ? left : working).length === 0) return
    if (alone && (isLate || working.length === 0)) for (const pid of left) kill(cgroup!, pid)
    if (performance.now() - begin > patience)
      throw new NsboxError(
        'deadline_exceeded',
        `processes ${[...runtimes, ...begun, ...left].join(', ')} do not end`,
      )
    await delay(pause)
  }
}

function kill(cgroup: ContainerCgroup, pid: number): void {
  try {
    signalProcess(cgroup, pid, SIGKILL)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

function descends(pid: number, ancestors: ReadonlySet<number>): boolean {
  for (let at = pid; at > 1; at = processStat(at)?.parent ?? 0) if (ancestors.has(at)) return true
  return false
}

/** CRIU itself, and processes that it has not yet turned into restored ones. */
function isCriu(pid: number): boolean {
  return unlessGone(() => readFileSync(`/proc/${pid}/comm`, 'utf8'), '') === 'criu\n'
}

/**
 * The runtimes that restore a bundle, recognised by their command line, and CRIU working for them, recognised by its
 * log. A CRIU that has just begun is not yet in a cgroup of the container.
 */
async function helpersOf({ path, criu }: Bundle): Promise<{ runtimes: number[]; begun: number[] }> {
  const log = join(criu, 'restore.log')
  const runtimes: number[] = []
  const begun: number[] = []
  for await (const helper of helperProcesses()) {
    const { pid, name } = helper
    if (restores(helper, path)) runtimes.push(pid)
    else if (name === 'criu' && !hasEnded(pid) && hasOpen(pid, [log])) begun.push(pid)
  }
  return { runtimes, begun }
}

/** Directories where CRIU has mounted the host's cgroups, unless it was given another work directory. */
function cgroupYards({ criu }: Bundle): string[] {
  return readdirSync(criu).flatMap((name) => (name.startsWith('.criu.cgyard.') ? [join(criu, name)] : []))
}

function restores({ pid }: HelperProcess, bundle: string): boolean {
  const line = commandLine(pid)
  return line.includes('\0restore\0') && line.includes(`\0--bundle\0${bundle}\0`)
}

function killRuntime(pid: number, bundle: string): void {
  const descriptor = pidfdOf(pid)
  if (descriptor === undefined) return
  try {
    // The pid may have been reused since.
    const helper = helperProcess(pid)
    if (helper !== undefined && restores(helper, bundle)) signalPidfd(descriptor, SIGKILL)
  } finally {
    closeSync(descriptor)
  }
}
