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
import { endProcess } from '../runc/end-process.ts'
import { hasEnded } from '../runc/has-ended.ts'
import { launchRunc } from '../runc/launch-runc.ts'
import type { Runc } from '../runc/runc.ts'
import type { FirstProcess } from './first-process.ts'
import { checkOwnNamespaces } from './own-namespaces.ts'
import type { RestoreSource } from './restore-source.ts'
import { processKey, type TaskContext } from './task-context.ts'
import type { TaskRecord } from './task-record.ts'
import { deleteContainer, type TaskStart } from './task-start.ts'
import { withNamespace } from './with-namespace.ts'

/** A task whose processes are restored from images. */
export interface RestoredTask {
  readonly context: TaskContext
  readonly runc: Runc
  readonly bundle: Bundle
  readonly record: TaskRecord
}

/**
 * Options without which CRIU refuses to restore such resources, although the checkpoint was made with them. They have
 * no effect on images without such resources. runc itself neither keeps nor restores networks.
 */
const whateverWasKept = { tcpEstablished: true, externalUnixSockets: true, fileLocks: true } as const

/** The start of a task whose processes are restored from images, and then run. */
export class RestoredStart implements TaskStart {
  readonly #task: RestoredTask
  readonly #source: RestoreSource

  constructor(task: RestoredTask, source: RestoreSource) {
    this.#task = task
    this.#source = source
  }

  /** A failed start leaves nothing; its error has the end of CRIU's log. */
  async run(first: FirstProcess, options: AbortOptions): Promise<void> {
    await using undo = new AsyncDisposableStack()
    // What an earlier attempt could not remove.
    await this.#undo()
    await this.#begin()
    undo.defer(() => this.#undoQuietly())
    const process = await this.#launch(options)
    undo.defer(() => endProcess(process))
    await this.#adopt(first, process)
    undo.move()
  }

  /** Takes over a start of an earlier daemon: if it succeeded it counts, otherwise it is undone. */
  async recover(first: FirstProcess, process: SupervisedProcess | undefined): Promise<void> {
    if (process === undefined) return this.#undoQuietly()
    try {
      await this.#adopt(first, process)
    } catch (error) {
      this.#warn('a start from a checkpoint that was under way fails', error)
      await endProcess(process)
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

  /** Takes a process that has been made, and does what CRIU leaves out. */
  async #adopt(first: FirstProcess, process: SupervisedProcess): Promise<void> {
    const { hostname, namespaces } = this.#source
    try {
      checkOwnNamespaces(process.pid, namespaces)
      await first.take(process)
      // runc does this for networks that it makes itself.
      if (namespaces.includes('network')) withNamespace(process, 'net', bringUpLoopback)
      if (hostname !== undefined) withNamespace(process, 'uts', (uts) => setHostname(uts, hostname))
    } catch (error) {
      first.drop()
      throw error
    }
  }

  /** Records that a restore has begun, and whether the cgroup was empty before. */
  async #begin(): Promise<void> {
    mkdirSync(this.#task.bundle.criu, { mode: 0o700 })
    const before = await this.#cgroup?.pids()
    if (before?.every(hasEnded) === true) writeFileSync(this.#alone, '', { mode: 0o600 })
  }

  /** A file that exists if the cgroup was empty before. */
  get #alone(): string {
    return join(this.#task.bundle.criu, 'alone')
  }

  get #cgroup() {
    const { cgroup } = this.#source
    return cgroup === undefined ? undefined : this.#task.context.cgroups.named(cgroup)
  }

  /** Without the directory nothing was begun, and processes in the cgroup do not belong to this task. */
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
      // The caller sees the error that made this necessary.
      if (!isNotFound(error)) this.#warn('removing what is left of its container', error)
    }
  }

  #warn(message: string, error: unknown): void {
    const { context, bundle } = this.#task
    context.onWarning(`task ${bundle.namespace}/${bundle.id}: ${message}`, error)
  }
}
