import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, readState, writeState } from '@nsbox/bundle'
import { isErrno } from '@nsbox/errors'

/** What is to be known of a checkpoint in the making after this process has gone: `checkpoint.json` in the bundle. */
export interface DumpRecord {
  readonly format: 1
  /** Whether the container was paused before, so that it has to be afterwards. */
  readonly paused: boolean
  /** Where the images are written; it tells the processes that write them. */
  readonly images: string
}

export function writeDump(bundle: Bundle, record: DumpRecord): void {
  writeState(fileOf(bundle), record)
}

/** Undefined if no checkpoint is being made. */
export function readDump(bundle: Bundle): DumpRecord | undefined {
  return readState(fileOf(bundle)) as DumpRecord | undefined
}

export function removeDump(bundle: Bundle): void {
  try {
    unlinkSync(fileOf(bundle))
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

function fileOf({ path }: Bundle): string {
  return join(path, 'checkpoint.json')
}
