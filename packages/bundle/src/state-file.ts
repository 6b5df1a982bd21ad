import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isErrno, NsboxError } from '@nsbox/errors'

/**
 * Replaces a small file with a value as JSON, atomically. Not synced, since a crash of the system ends all that it
 * describes. Synchronous: that takes 50 µs in a memory file system, less than a thread of the pool, and the state
 * cannot change meanwhile.
 */
export function writeState(path: string, value: object): void {
  const unfinished = `${path}.new`
  writeFileSync(unfinished, JSON.stringify(value), { mode: 0o600 })
  renameSync(unfinished, path)
}

/** The value of such a file; undefined if there is none. @throws `data_loss` if it is no JSON object */
export function readState(path: string): Record<string, unknown> | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
  } catch (cause) {
    throw new NsboxError('data_loss', `state file ${JSON.stringify(path)}`, { cause })
  }
  throw new NsboxError('data_loss', `state file ${JSON.stringify(path)}`)
}
