import { unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Bundle, type ExecFiles, readState, taskRecords, writeState } from '@nsbox/bundle'
import type { ProcessExit, ProcessIo } from '@nsbox/core/tasks'
import { isErrno } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'
import type { RestoreSource } from './restore-source.ts'
import type { RuntimeChoice } from './runtime-choice.ts'

/** The formats of the records below. */
const taskFormat = 1
const execFormat = 1

/** What a later process must know of a task: `task.json` in its bundle. */
export interface TaskRecord {
  readonly choice: RuntimeChoice
  /** Whether it has no pid namespace of its own, so that its processes can outlive the first one. */
  readonly sharesPids: boolean
  readonly io: ProcessIo
  /** Its cgroup in each hierarchy; absent until the task exists, or if it has no cgroup of its own. */
  readonly cgroups?: readonly (readonly [hierarchy: string, path: string])[] | undefined
  /** Path of a cgroup that exists for this task alone; absent if it existed before, or is not known. */
  readonly newCgroup?: string | undefined
  /** 0 until there is a process. A task without one that is not restored from a checkpoint was not made completely. */
  readonly pid: number
  /** Images to restore at the start; absent afterwards, and for tasks that start from the beginning. */
  readonly restore?: RestoreSource | undefined
  readonly started: boolean
  /** The paths that it uses, as `PathUse.record`. */
  readonly uses?: readonly object[] | undefined
  /** The end of the first process, once it has been reported. */
  readonly exit?: StoredExit | undefined
}

/** What a later process must know of an exec: `exec.json` beside its other files. */
export interface ExecRecord {
  readonly io: ProcessIo
  /** 0 until it has been started. */
  readonly pid: number
  readonly exit?: StoredExit | undefined
}

/** An end as JSON. */
export interface StoredExit {
  readonly exitStatus: number
  readonly exitedAt: string
}

export function storedExit({ exitStatus, exitedAt }: ProcessExit): StoredExit {
  return { exitStatus, exitedAt: exitedAt.toString() }
}

export function exitOf({ exitStatus, exitedAt }: StoredExit): ProcessExit {
  return { exitStatus, exitedAt: Timestamp.parse(exitedAt) }
}

export function writeTask({ path }: Bundle, record: TaskRecord): void {
  writeState(join(path, taskRecords.runc), taskFormat, record)
}

/** Undefined if the bundle was not completed. @throws as `readState` */
export function readTask({ path }: Bundle): TaskRecord | undefined {
  return readState(join(path, taskRecords.runc), taskFormat) as TaskRecord | undefined
}

export function writeExec(files: ExecFiles, record: ExecRecord): void {
  writeState(execFile(files), execFormat, record)
}

/** Undefined if the exec was not completed. @throws as `readState` */
export function readExec(files: ExecFiles): ExecRecord | undefined {
  return readState(execFile(files), execFormat) as ExecRecord | undefined
}

/** Removes only the record, if there is one. */
export function removeExec(files: ExecFiles): void {
  for (const path of [execFile(files), `${execFile(files)}.new`]) {
    try {
      unlinkSync(path)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
    }
  }
}

function execFile({ process }: ExecFiles): string {
  return join(dirname(process), 'exec.json')
}
