import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '@nsbox/bundle'
import type { AbortOptions } from '@nsbox/core/tasks'
import { isNotFound } from '@nsbox/errors'
import type { LaunchPaths, SupervisedProcess } from '@nsbox/supervisor'
import { bringUpLoopback, setHostname } from '@nsbox/sys/processes'
import { removeTree } from '@nsbox/trees'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { criuFailure, withCriuFailure } from '../checkpoints/criu-log.ts'
import { undoRestore } from '../checkpoints/undo-restore.ts'
import { hasEnded } from '../runc/has-ended.ts'
import { launchRunc } from '../runc/launch-runc.ts'
import type { Runc } from '../runc/runc.ts'
import type { FirstProcess } from './first-process.ts'
import { checkOwnNamespaces } from './own-namespaces.ts'
import type { RestoreSource } from './restore-source.ts'
import { processKey, type TaskContext } from './task-context.ts'
import type { TaskRecord } from './task-record.ts'
import { deleteContainer, type TaskStart } from './task-start.ts'
import { end } from './undo-process.ts'
import { withNamespace } from './with-namespace.ts'

/** A task whose processes are to go on from images. */
export interface RestoredTask {
  readonly context: TaskContext
  readonly runc: Runc
  readonly bundle: Bundle
  readonly record: TaskRecord
}

/**
 * What CRIU refuses to restore unless it is told to, although who made the checkpoint had to ask for it then. It means
 * nothing for images without such resources. runc itself sees to it that networks are neither kept nor restored.
 */
const whateverWasKept = { tcpEstablished: true, externalUnixSockets: true, fileLocks: true } as const

/** The start of a task whose processes are made from images, whereupon they run. */
export class RestoredStart implements TaskStart {
  readonly #task: RestoredTask
  readonly #source: RestoreSource

  constructor(task: RestoredTask, source: RestoreSource) {
    this.#task = task
    this.#source = source
  }

  /** Of a start that failed nothing is left; the end of CRIU's log is in the error. */
  async run(first: FirstProcess, options: AbortOptions): Promise<void> {
    await using undo = new AsyncDisposableStack()
    // What an earlier attempt could not remove.
    await this.#undo()
    await this.#begin()
    undo.defer(() => this.#undoQuietly())
    const process = await this.#launch(options)
    undo.defer(() => end(process))
    await this.#adopt(first, process)
    undo.move()
  }

  /** Takes up what an earlier daemon had begun: a start that it saw through counts, any other is undone. */
  async recover(first: FirstProcess, process: SupervisedProcess | undefined): Promise<void> {
    if (process === undefined) return this.#undoQuietly()
    try {
      await this.#adopt(first, process)
    } catch (error) {
      this.#warn('a start from a checkpoint that was under way fails', error)
      await end(process)
      await this.#undoQuietly()
    }
  }

  async remove(first: FirstProcess): Promise<void> {
    const { context, runc, bundle } = this.#task
    if (first.isMade) await deleteContainer(context.shortcuts, runc, bundle.id)
    else await this.#undo()
  }

  async #launch(options: AbortOptions): Promise<SupervisedProcess> {
    const { context, runc, bundle, record } = this.#task
    const { choice, io } = record
    const { namespace, id, path, log, pidFile } = bundle
    const { images: imagePath, workPath = bundle.criu } = this.#source
    const criuLog = join(workPath, 'restore.log')
    // Logs of an earlier attempt.
    for (const old of [log, criuLog]) rmSync(old, { force: true })
    const wanted = { log, bundle: path, imagePath, workPath, noPivotRoot: choice.noPivotRoot }
    const command = (paths: LaunchPaths) =>
      runc.restoreArguments(id, { ...wanted, ...whateverWasKept, ...paths })
    try {
      const key = processKey(namespace, id)
      const program = { ...choice, runc, log, pidFile, command }
      const launch = { kind: 'restore', key, namespace, id, io, ...program } as const
      return await launchRunc(context, launch, options)
    } catch (error) {
      throw withCriuFailure(error, await criuFailure(criuLog))
    }
  }

  /** Takes a process that has been made, and sees to what CRIU does not. */
  async #adopt(first: FirstProcess, process: SupervisedProcess): Promise<void> {
    const { hostname, namespaces } = this.#source
    try {
      checkOwnNamespaces(process.pid, namespaces)
      await first.take(process)
      // runc brings it up in networks that it makes itself.
      if (namespaces.includes('network')) withNamespace(process, 'net', bringUpLoopback)
      if (hostname !== undefined) withNamespace(process, 'uts', (uts) => setHostname(uts, hostname))
    } catch (error) {
      first.drop()
      throw error
    }
  }

  /** Keeps that something may be left from now on, and whether all that is in the cgroup afterwards is. */
  async #begin(): Promise<void> {
    mkdirSync(this.#task.bundle.criu, { mode: 0o700 })
    const before = await this.#cgroup?.pids()
    if (before?.every(hasEnded) === true) writeFileSync(this.#alone, '', { mode: 0o600 })
  }

  /** A file that says that nobody was in the cgroup before. */
  get #alone(): string {
    return join(this.#task.bundle.criu, 'alone')
  }

  get #cgroup() {
    const { cgroup } = this.#source
    return cgroup === undefined ? undefined : this.#task.context.cgroups.named(cgroup)
  }

  /** Without the directory nothing was begun, and whoever is in the cgroup has nothing to do with this task. */
  async #undo(): Promise<void> {
    const { context, runc, bundle } = this.#task
    if (!existsSync(bundle.criu)) return
    const others = new Set(context.supervisor.processes().map(({ pid }) => pid))
    await undoRestore({ runc, bundle, cgroup: this.#cgroup, alone: existsSync(this.#alone), others })
    await removeTree(bundle.criu)
  }

  async #undoQuietly(): Promise<void> {
    try {
      await this.#undo()
    } catch (error) {
      // What made it necessary stays the error that the caller sees.
      if (!isNotFound(error)) this.#warn('removing what is left of its container', error)
    }
  }

  #warn(message: string, error: unknown): void {
    const { context, bundle } = this.#task
    context.onWarning(`task ${bundle.namespace}/${bundle.id}: ${message}`, error)
  }
}
