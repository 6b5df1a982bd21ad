import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '@nsbox/errors'
import { files } from '../protocol/directory-layout.ts'
import { type ProcessRecord, processRecord } from '../protocol/process-record.ts'
import { checked } from '../protocol/schema.ts'

/** The records that a supervisor that has ended left on disk. */
export function storedRecords(
  directory: string,
  onWarning: (message: string, error: unknown) => void,
): ProcessRecord[] {
  return filesOf(join(directory, files.records)).flatMap((path) => {
    // A record that was being written when the supervisor died; the previous one is complete.
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
