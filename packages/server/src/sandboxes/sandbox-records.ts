import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isErrno, NsboxError, quoted } from '@nsbox/errors'

/** The record of a created sandbox. Times are microseconds since 1970. */
export interface SandboxRecord {
  readonly createdAt: number
  readonly startedAt?: number | undefined
  readonly exitedAt?: number | undefined
}

/**
 * The records of the sandboxes of a namespace, one file each, for as long as the state directory exists. Ids are
 * identifiers, and so safe in paths.
 */
export class SandboxRecords {
  readonly #directory: string

  /** @param directory need not exist */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** @throws `data_loss` for a file that is no record */
  async get(id: string): Promise<SandboxRecord | undefined> {
    let text: string
    try {
      text = await readFile(join(this.#directory, id), 'utf8')
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined
      throw error
    }
    const record = parsed(text)
    if (record === undefined) throw new NsboxError('data_loss', `record of sandbox ${quoted(id)}`)
    return record
  }

  /** Writes a record atomically. */
  async put(id: string, record: SandboxRecord): Promise<void> {
    const path = join(this.#directory, id)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // Safe: no id begins with a dot.
    const written = join(dirname(path), `.${id}`)
    await writeFile(written, JSON.stringify(record), { mode: 0o600 })
    await rename(written, path)
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.#directory, id), { force: true })
  }
}

function parsed(text: string): SandboxRecord | undefined {
  try {
    const { createdAt, startedAt, exitedAt } = JSON.parse(text)
    const times = [createdAt, startedAt ?? 0, exitedAt ?? 0]
    return times.every((time) => Number.isSafeInteger(time)) ? { createdAt, startedAt, exitedAt } : undefined
  } catch {
    return undefined
  }
}
