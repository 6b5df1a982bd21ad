import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Labels } from '@nsbox/core/labels'
import type { Mount } from '@nsbox/core/snapshots'
import { isErrno, NsboxError } from '@nsbox/errors'

/** A mount, as stored. Times are microseconds since 1970. */
export interface KeptMount {
  readonly mount: Mount
  readonly mountPoint: string
  readonly mountedAt: number
}

/** The record of an activation. */
export interface ActivationRecord {
  readonly namespace: string
  readonly name: string
  readonly labels: Labels
  /** The task with this root filesystem, if any. */
  readonly task?: string | undefined
  readonly active: readonly KeptMount[]
  readonly system: readonly Mount[]
  /** The record with which a later process resumes the use of paths. */
  readonly use?: object | undefined
}

const file = 'activation.json'

/** Name of the directory of an activation; the client's name may be any text. */
export function directoryName(namespace: string, name: string): string {
  return createHash('sha256').update(`${namespace}\0${name}`).digest('hex')
}

/** Writes the record of an activation atomically. */
export function writeRecord(directory: string, record: ActivationRecord): void {
  const written = join(directory, `.${file}`)
  writeFileSync(written, JSON.stringify(record), { mode: 0o600 })
  renameSync(written, join(directory, file))
}

/**
 * The record of an activation; undefined if it was not completed.
 * @throws `data_loss` for an invalid file
 */
export function readRecord(directory: string): ActivationRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, file), 'utf8')) as ActivationRecord
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    if (!(error instanceof SyntaxError)) throw error
    throw new NsboxError('data_loss', `record of mounts in ${JSON.stringify(directory)}`, { cause: error })
  }
}

/** Removes the directory of an activation, whose mounts have ended. */
export function removeRecord(directory: string): void {
  for (const name of [file, `.${file}`]) rmSync(join(directory, name), { force: true })
}

/** The directories of all activations. */
export function activationDirectories(root: string): string[] {
  try {
    return readdirSync(root).map((name) => join(root, name))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}
