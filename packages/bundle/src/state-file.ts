import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isErrno, isFailedPrecondition, NsboxError, quoted } from '@nsbox/errors'

/**
 * Replaces a small file with a record as JSON, atomically. Not synced, since a crash of the system ends all that it
 * describes. Synchronous: that takes 50 µs in a memory file system, less than a thread of the pool, and the state
 * cannot change meanwhile.
 *
 * @param format number of the record's format. A new number is for what an earlier program would misunderstand; a field
 *   that may be absent needs none.
 */
export function writeState(path: string, format: number, record: object): void {
  const unfinished = `${path}.new`
  writeFileSync(unfinished, stateText(format, record), { mode: 0o600 })
  renameSync(unfinished, path)
}

/**
 * The record in such a file; undefined if there is none.
 * @throws as `parseState`
 */
export function readState(path: string, format: number): Record<string, unknown> | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
  return parseState(text, format, path)
}

/** The text of a record, for who writes its file otherwise. */
export function stateText(format: number, record: object): string {
  return JSON.stringify({ format, ...record })
}

/**
 * The record in the text of a file. One without a number is of format 1, which some records did not have at first.
 *
 * @param format the last one that the caller knows
 * @throws `data_loss` if it is no record; `failed_precondition` with the numbers `found` and `known` in the details if
 *   a newer program has written it
 */
export function parseState(text: string, format: number, path: string): Record<string, unknown> {
  const { format: found = 1, ...record } = parsedObject(text, path)
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 1) throw damaged(path)
  if (found > format) {
    throw new NsboxError(
      'failed_precondition',
      `state file ${quoted(path)} has format ${found}, this program knows formats up to ${format}: use a newer program`,
      { details: { found, known: format } },
    )
  }
  return record
}

/**
 * Reads state files before anything is changed because of them. Damaged ones are left to who needs them.
 * @throws `failed_precondition` if a newer program has written one
 */
export function refuseNewer(reads: Iterable<() => unknown>): void {
  for (const read of reads) {
    try {
      read()
    } catch (error) {
      if (isFailedPrecondition(error)) throw error
    }
  }
}

function parsedObject(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch (cause) {
    throw damaged(path, cause)
  }
  throw damaged(path)
}

function damaged(path: string, cause?: unknown): NsboxError {
  return new NsboxError('data_loss', `state file ${quoted(path)}`, { cause })
}
