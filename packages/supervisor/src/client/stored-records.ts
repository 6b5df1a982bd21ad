import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '@nsbox/errors'
import { files } from '../protocol/directory-layout.ts'
import { type ProcessRecord, processRecord } from '../protocol/process-record.ts'
import { checked } from '../protocol/schema.ts'

/** What a supervisor that is gone has left on disk of the processes that it held. */
export function storedRecords(
  directory: string,
  onWarning: (message: string, error: unknown) => void,
): ProcessRecord[] {
  return filesOf(join(directory, files.records)).flatMap((path) => {
    // One that was being written when the supervisor died; the one before it is there.
    if (!path.endsWith('.json')) return []
    try {
      return [checked(processRecord, JSON.parse(readFileSync(path, 'utf8')))]
    } catch (error) {
      onWarning(`the record ${path} cannot be read`, error)
      return []
    }
  })
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name))
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return []
    throw error
  }
}
