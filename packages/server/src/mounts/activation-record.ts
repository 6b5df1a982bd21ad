import { createHash } from 'node:crypto'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readState, writeState } from '@nsbox/bundle'
import type { Labels } from '@nsbox/core/labels'
import type { Mount } from '@nsbox/core/snapshots'
import { isErrno } from '@nsbox/errors'

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
const format = 1

/** Name of the directory of an activation; the client's name may be any text. */
export function directoryName(namespace: string, name: string): string {
  return createHash('sha256').update(`${namespace}\0${name}`).digest('hex')
}

/** Writes the record of an activation atomically. */
export function writeRecord(directory: string, record: ActivationRecord): void {
  writeState(join(directory, file), format, record)
}

/**
 * The record of an activation; undefined if it was not completed.
 * @throws as `readState`
 */
export function readRecord(directory: string): ActivationRecord | undefined {
  return readState(join(directory, file), format) as ActivationRecord | undefined
}

/** Removes the directory of an activation, whose mounts have ended. */
export function removeRecord(directory: string): void {
  // What a killed server was writing; servers before the first release began its name with a dot.
  for (const name of [file, `${file}.new`, `.${file}`]) rmSync(join(directory, name), { force: true })
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
