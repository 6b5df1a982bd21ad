import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, readState, writeState } from '@nsbox/bundle'
import { isErrno } from '@nsbox/errors'
import { type Bootstrap, parseBootstrap } from '../shim/bootstrap.ts'

/** What is to be known of a task after this process has gone: `shim.json` in its bundle. */
export interface TaskRecord {
  readonly format: 1
  /** Path of the shim's program. */
  readonly binary: string
  /** Whether the shim is another container's, so that it does not end with this task. */
  readonly isShared: boolean
  /** How the shim is reached; absent until it has said so. */
  readonly bootstrap?: Bootstrap | undefined
  /** 0 until the shim has made the task. */
  readonly pid: number
  /** The directory of images that it goes on from, to be removed with it. */
  readonly images?: string | undefined
  /** What is held for it, as `PathUse.record`. */
  readonly uses: readonly object[]
  /** Whether the end of its first process has been told. */
  readonly exitTold: boolean
}

export function writeTask({ path }: Bundle, record: TaskRecord): void {
  writeState(join(path, 'shim.json'), record)
}

/** Undefined if the bundle was not completed. */
export function readTask({ path }: Bundle): TaskRecord | undefined {
  return readState(join(path, 'shim.json')) as TaskRecord | undefined
}

/** How a shim is reached that has left its address in the bundle; undefined if there is none. */
export function leftBootstrap({ path }: Bundle): Bootstrap | undefined {
  try {
    return parseBootstrap(readFileSync(join(path, 'address'), 'utf8'))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
}
