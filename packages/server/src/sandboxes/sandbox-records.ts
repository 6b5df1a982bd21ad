import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseState, stateText } from '@nsbox/bundle'
import { isErrno, NsboxError, quoted } from '@nsbox/errors'

const format = 1

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

  /** @throws `data_loss` for a file that is no record; `failed_precondition` for that of a newer program */
  async get(id: string): Promise<SandboxRecord | undefined> {
    const path = join(this.#directory, id)
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined
      throw error
    }
    const { createdAt, startedAt, exitedAt } = parseState(text, format, path)
    if (!isTime(createdAt) || !isTime(startedAt ?? 0) || !isTime(exitedAt ?? 0))
      throw new NsboxError('data_loss', `record of sandbox ${quoted(id)}`)
    return { createdAt, startedAt, exitedAt } as SandboxRecord
  }

  /** Writes a record atomically. */
  async put(id: string, record: SandboxRecord): Promise<void> {
    const path = join(this.#directory, id)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    // Safe: no id begins with a dot.
    const written = join(dirname(path), `.${id}`)
    await writeFile(written, stateText(format, record), { mode: 0o600 })
    await rename(written, path)
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.#directory, id), { force: true })
  }
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value)
}
