import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isErrno, NsboxError } from '@nsbox/errors'

/**
 * Replaces a small file with a value as JSON, whole or not at all. It need not outlast the system, whose end ends all
 * that it tells of. Synchronous, since that takes 50 µs in a file system of memory, less than one way to a thread and
 * back, and since what it tells then cannot change meanwhile.
 */
export function writeState(path: string, value: object): void {
  const unfinished = `${path}.new`
  writeFileSync(unfinished, JSON.stringify(value), { mode: 0o600 })
  renameSync(unfinished, path)
}

/** The value of such a file; undefined if there is none. @throws `data_loss` for what is no JSON object */
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
