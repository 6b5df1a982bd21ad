import { access, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bundle, ImageDirectories } from '@nsbox/bundle'
import type { AbortOptions, ProcessExit, RuntimeCheckpointOptions } from '@nsbox/core/tasks'
import {
  type ErrorCode,
  errorCode,
  fromSystemError,
  isNotFound,
  isNsboxError,
  NsboxError,
} from '@nsbox/errors'
import { makeDirectories } from '@nsbox/errors/make-directories'
import { removeTree } from '@nsbox/trees'
import { criuFailure, criuHasFinished, withCriuFailure } from '../checkpoints/criu-log.ts'
import { removeDump, writeDump } from '../checkpoints/dump-record.ts'
import { undoDump } from '../checkpoints/undo-dump.ts'
import type { CheckpointRequest } from '../options/checkpoint-request.ts'
import { hasEnded } from '../runc/has-ended.ts'
import type { Runc } from '../runc/runc.ts'
import type { TaskSignals } from './task-signals.ts'

/** The name that the runtimes give CRIU's log. */
const logName = 'dump.log'

/** Milliseconds that the runtime has after the end of the first process; longer where CRIU is to end it. */
const patience = { ends: 5000, goesOn: 500 }

/** The parts of a task that a checkpoint uses; no other operation changes the task meanwhile. */
export interface CheckpointedTask {
  readonly id: string
  readonly pid: number
  readonly runc: Runc
  readonly bundle: Bundle
  readonly isFrozen: boolean
  freeze(): Promise<void>
  become(state: 'running' | 'paused'): void
  readonly signals: Pick<TaskSignals, 'killAll'>
  wait(options: AbortOptions): Promise<ProcessExit>
}

/** A checkpoint under way. */
interface Dump {
  readonly task: CheckpointedTask
  readonly request: CheckpointRequest
  readonly options: Omit<RuntimeCheckpointOptions, 'options'>
  /** A directory of its own for images; absent if the client has named one. */
  readonly place: string | undefined
  readonly imagePath: string
  readonly workPath: string
}

/**
 * Makes a checkpoint of a running or paused task. After an error the task is running or paused as before; if that is
 * impossible because its processes have ended, the error says so.
 *
 * With `exit`, the task is frozen, and killed once the images have been taken. Where open connections are kept, CRIU
 * itself has to kill it, so that their other ends do not notice.
 *
 * @returns the name of the checkpoint
 */
export async function checkpointTask(
  task: CheckpointedTask,
  directories: ImageDirectories,
  request: CheckpointRequest,
  options: Omit<RuntimeCheckpointOptions, 'options'>,
): Promise<string> {
  await using place = request.imagePath === undefined ? await directories.create() : undefined
  const dump: Dump = {
    task,
    request,
    options,
    place: place?.path,
    imagePath: request.imagePath ?? join(place!.path, 'images'),
    workPath: request.workPath ?? task.bundle.criu,
  }
  const paused = task.isFrozen
  try {
    await prepare(dump, paused)
    return await dumpAndTake(dump, paused)
  } catch (error) {
    throw await broughtBack(dump, paused, error)
  } finally {
    if (request.workPath === undefined) await removeTree(task.bundle.criu)
    removeDump(task.bundle)
  }
}

/** Makes the record, directories, and the images of the parent. */
async function prepare(dump: Dump, paused: boolean): Promise<void> {
  const { task, place, imagePath, workPath } = dump
  const { parent, signal } = dump.options
  try {
    writeDump(task.bundle, { paused, images: imagePath })
    for (const path of [imagePath, workPath]) makeDirectories(path, 0o700)
    await rm(join(workPath, logName), { force: true })
    if (parent === undefined) return
    if (place === undefined)
      throw new NsboxError('invalid_argument', 'a checkpoint that adds to another, with image_path')
    await mkdir(join(place, 'parent'), { mode: 0o700 })
  } catch (error) {
    throw fromSystemError(error, 'directories of a checkpoint')
  }
  await parent(join(place, 'parent'), { signal })
}

async function dumpAndTake(dump: Dump, paused: boolean): Promise<string> {
  const { task, request, options, place, imagePath } = dump
  const { signal } = options
  const ends = request.leaveRunning === false
  const endsAtOnce = ends && request.tcpEstablished === true
  if (ends && !endsAtOnce && !paused) await task.freeze()
  await runCriu(dump, endsAtOnce)
  const name = place === undefined ? imagePath : await options.images(imagePath, { signal })
  if (ends && !endsAtOnce) await end(task)
  if (ends) await task.wait({})
  return name
}

/** Another client may have ended it since the dump. */
async function end(task: CheckpointedTask): Promise<void> {
  try {
    await task.signals.killAll(9)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

async function runCriu({ task, request, options, imagePath, workPath }: Dump, ends: boolean): Promise<void> {
  const { leaveRunning: _, ...wanted } = request
  const parentPath = options.parent === undefined ? undefined : '../parent'
  const paths = { imagePath, workPath, parentPath }
  using stuck = endFor(task.pid, ends ? patience.ends : patience.goesOn)
  const signal = AbortSignal.any([stuck.signal, ...(options.signal === undefined ? [] : [options.signal])])
  try {
    await task.runc.checkpoint(task.id, { ...wanted, ...paths, leaveRunning: !ends, signal })
  } catch (error) {
    const log = join(workPath, logName)
    if (!ends || !hasEnded(task.pid) || !(await criuHasFinished(log)))
      throw withCriuFailure(error, await criuFailure(log))
    // The images are complete, and the processes are gone: the rest of the runtime's work does not matter.
    const { runc, id, pid } = task
    await undoDump({ runc, id, pid, images: imagePath, paused: false })
  }
  try {
    await access(join(imagePath, 'inventory.img'))
  } catch (cause) {
    throw new NsboxError('unknown', 'OCI runtime checkpoint wrote no images', { cause })
  }
}

/**
 * A signal that aborts this long after the end of a process. While CRIU holds the process its end is not reported, and
 * CRIU may then wait for ever.
 */
function endFor(pid: number, milliseconds: number): { readonly signal: AbortSignal } & Disposable {
  const late = new AbortController()
  let endedAt: number | undefined
  const timer = setInterval(() => {
    if (!hasEnded(pid)) return
    endedAt ??= performance.now()
    if (performance.now() - endedAt >= milliseconds)
      late.abort(new NsboxError('failed_precondition', 'a checkpoint that was interrupted'))
  }, 50)
  return { signal: late.signal, [Symbol.dispose]: () => clearInterval(timer) }
}

/** Makes the task run, or be paused, as before, if it still exists. @returns the error, which says so if it does not */
async function broughtBack({ task, imagePath }: Dump, paused: boolean, error: unknown): Promise<unknown> {
  const { runc, id, pid } = task
  try {
    if (await undoDump({ runc, id, pid, images: imagePath, paused })) {
      task.become(paused ? 'paused' : 'running')
      return error
    }
  } catch (cause) {
    return adding(error, errorCode(error), `the task cannot be brought back: ${words(cause)}`)
  }
  await task.wait({})
  const code = errorCode(error)
  return adding(error, code === 'unknown' ? 'failed_precondition' : code, 'the task has ended')
}

function adding(error: unknown, code: ErrorCode, text: string): NsboxError {
  return new NsboxError(code, `${words(error)}; ${text}`, { cause: error })
}

function words(error: unknown): string {
  if (isNsboxError(error)) return error.context
  return error instanceof Error ? error.message : String(error)
}
