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

/** A restore that has failed, or was interrupted. */
export interface UndoneRestore {
  readonly runc: Runc
  /** Its path tells the processes of the runtime. */
  readonly bundle: Bundle
  /** Where CRIU and what it restores are; undefined if that is not known. */
  readonly cgroup: ContainerCgroup | undefined
  /** Whether nobody else was in the cgroup before. Otherwise it stays, and CRIU is left to end what it has made. */
  readonly alone: boolean
  /** The numbers of processes that have nothing to do with it, and neither has what they have started. */
  readonly others: ReadonlySet<number>
}

const SIGKILL = 9
/** How many processes are looked at before others have their turn. */
const batch = 64
/** Milliseconds that CRIU is given to find nobody to report to, and to take back what it has done. */
const grace = 2_000
/** Milliseconds after which something does not end. */
const patience = 10_000

/**
 * Removes what a restore has left: its processes, mounts, the runtime's state and the cgroup.
 *
 * A runtime that is killed leaves the root filesystem mounted within its state. To have it remove that state would
 * remove the files of the root filesystem, so that the mount goes first, once nobody is there who could make it.
 */
export async function undoRestore(restore: UndoneRestore): Promise<void> {
  const { runc, bundle, cgroup, alone } = restore
  const { root } = runc.options
  if (root === undefined) throw new NsboxError('internal', 'the runtime keeps its state where it likes')
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

/** CRIU, and what it has not made into something else yet. */
function isCriu(pid: number): boolean {
  return unlessGone(() => readFileSync(`/proc/${pid}/comm`, 'utf8'), '') === 'criu\n'
}

/**
 * The runtimes that restore a bundle, told by what they were called with, and CRIU at work for them, told by the log
 * that it writes. One that has just begun is in no cgroup of the container yet, but will be.
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

/** Where CRIU has mounted the cgroups of the host, unless it was told to work elsewhere. */
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
    // The number could mean another process since.
    const helper = helperProcess(pid)
    if (helper !== undefined && restores(helper, bundle)) signalPidfd(descriptor, SIGKILL)
  } finally {
    closeSync(descriptor)
  }
}
