import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno, NsboxError } from '@nsbox/errors'
import * as v from 'valibot'
import { files } from '../protocol/directory-layout.ts'
import { type ProcessRecord, processRecord, recordFormat } from '../protocol/process-record.ts'
import { checked, integer } from '../protocol/schema.ts'

const numbered = v.object({ format: v.optional(integer(1), 1) })

/**
 * The records that a supervisor that has ended left on disk; damaged ones are passed over with a warning.
 * @throws `failed_precondition` if a newer program has written one
 */
export function storedRecords(
  directory: string,
  onWarning: (message: string, error: unknown) => void,
): ProcessRecord[] {
  return filesOf(join(directory, files.records)).flatMap((path) => {
    // A record that was being written when the supervisor died; the previous one is complete.
    if (!path.endsWith('.json')) return []
    let found: number
    try {
      const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
      found = checked(numbered, value).format
      if (found <= recordFormat) return [checked(processRecord, value)]
    } catch (error) {
      onWarning(`the record ${path} cannot be read`, error)
      return []
    }
    throw new NsboxError(
      'failed_precondition',
      `state file ${path} has format ${found}, this program knows formats up to ${recordFormat}: use a newer program`,
      { details: { found, known: recordFormat } },
    )
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
