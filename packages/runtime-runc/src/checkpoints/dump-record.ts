import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, readState, writeState } from '@nsbox/bundle'
import { isErrno } from '@nsbox/errors'

const format = 1

/** What a later process must know of a checkpoint under way: `checkpoint.json` in the bundle. */
export interface DumpRecord {
  /** Whether the container was paused before the checkpoint, and must be again. */
  readonly paused: boolean
  /** The directory of the images; processes that write to it belong to the checkpoint. */
  readonly images: string
}

export function writeDump(bundle: Bundle, record: DumpRecord): void {
  writeState(fileOf(bundle), format, record)
}

/** Undefined if no checkpoint is being made. @throws as `readState` */
export function readDump(bundle: Bundle): DumpRecord | undefined {
  return readState(fileOf(bundle), format) as DumpRecord | undefined
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
