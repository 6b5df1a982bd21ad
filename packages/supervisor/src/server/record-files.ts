import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProcessRecord, recordFormat } from '../protocol/process-record.ts'

/**
 * The records of processes, one file each, so that they outlive the supervisor. They are written atomically, but not
 * synced: directory and processes last as long as the system runs.
 */
export class RecordFiles {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  /** Whether their directory is there. */
  get exist(): boolean {
    return existsSync(this.#directory)
  }

  write(record: ProcessRecord): void {
    const path = this.#path(record.key)
    writeFileSync(`${path}.new`, JSON.stringify({ format: recordFormat, ...record }), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  remove(key: string): void {
    rmSync(this.#path(key), { force: true })
  }

  // Keys have slashes, and may be too long for a name.
  #path(key: string): string {
    return join(this.#directory, `${createHash('sha256').update(key).digest('hex')}.json`)
  }
}
