import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, readState, taskRecords, writeState } from '@nsbox/bundle'
import { isErrno } from '@nsbox/errors'
import { type Bootstrap, parseBootstrap } from '../shim/bootstrap.ts'

const format = 1

/** What a later process must know of a task: `shim.json` in its bundle. */
export interface TaskRecord {
  /** Path of the shim's program. */
  readonly binary: string
  /** Whether the shim belongs to another container, and does not end with this task. */
  readonly isShared: boolean
  /** How to connect to the shim; absent until it has printed that. */
  readonly bootstrap?: Bootstrap | undefined
  /** 0 until the shim has made the task. */
  readonly pid: number
  /** The directory of images that it is restored from; removed with it. */
  readonly images?: string | undefined
  /** The paths that it uses, as `PathUse.record`. */
  readonly uses: readonly object[]
  /** Whether the end of its first process has been reported. */
  readonly exitTold: boolean
}

export function writeTask({ path }: Bundle, record: TaskRecord): void {
  writeState(join(path, taskRecords.shim), format, record)
}

/** Undefined if the bundle was not completed. @throws as `readState` */
export function readTask({ path }: Bundle): TaskRecord | undefined {
  return readState(join(path, taskRecords.shim), format) as TaskRecord | undefined
}

/** How to connect to a shim, by the file `address` in the bundle; undefined if there is none. */
export function leftBootstrap({ path }: Bundle): Bootstrap | undefined {
  try {
    return parseBootstrap(readFileSync(join(path, 'address'), 'utf8'))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
