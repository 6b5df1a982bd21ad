import { readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions } from '@nsbox/core/snapshots'
import { isErrno, NsboxError } from '@nsbox/errors'
import { readMounts } from '@nsbox/mount'
import { removeTree } from '@nsbox/trees'
import { makeDirectory, makePrivateDirectory } from './make-directory.ts'

/**
 * The directories of snapshots, named by number: `snapshots/<id>`, and `trash/<id>` while it is removed. A number is
 * not used again while a row or directory has it, so a directory without a row can be removed.
 */
export class SnapshotDirectories {
  readonly #root: string
  #lastId: number
  /** Those without a row yet. */
  readonly #making = new Set<number>()

  private constructor(root: string, lastId: number) {
    this.#root = root
    this.#lastId = lastId
  }

  /** @param lastId the greatest number in the database */
  static async open(root: string, lastId: number): Promise<SnapshotDirectories> {
    let last = lastId
    for (const name of ['snapshots', 'trash']) {
      await makePrivateDirectory(join(root, name))
      last = Math.max(last, ...(await numbersIn(join(root, name))))
    }
    return new SnapshotDirectories(root, last)
  }

  get lastId(): number {
    return this.#lastId
  }

  path(id: number): string {
    return join(this.#root, 'snapshots', String(id))
  }

  /** Makes a directory, fills it with `fill`, then records it with `record`. If either fails it is removed. */
  async make(
    fill: (path: string, id: number) => Promise<void>,
    record: (id: number) => void,
  ): Promise<number> {
    const id = ++this.#lastId
    this.#making.add(id)
    try {
      await this.makeAgain(id, (path) => fill(path, id))
      record(id)
      return id
    } catch (error) {
      // If it cannot be removed now, `cleanup` removes it later.
      await this.discard(id).catch(() => undefined)
      throw error
    } finally {
      this.#making.delete(id)
    }
  }

  /** Makes the missing directory of a recorded snapshot. */
  async makeAgain(id: number, fill: (path: string) => Promise<void>): Promise<void> {
    const path = this.path(id)
    makeDirectory(path, 0o700)
    await fill(path)
  }

  /** @throws `failed_precondition` if something is mounted there */
  async checkUnused(id: number): Promise<void> {
    for await (const { mountPoint } of readMounts({ under: this.path(id) }))
      throw new NsboxError('failed_precondition', `${JSON.stringify(mountPoint)} is mounted`, {
        details: { mountPoint },
      })
  }

  /** Moves a directory, if it exists, to `trash` and deletes it. After an abort the rest stays in `trash`. */
  async discard(id: number, { signal }: AbortOptions = {}): Promise<void> {
    const trash = join(this.#root, 'trash', String(id))
    try {
      await rename(this.path(id), trash)
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error
    }
    await removeTree(trash, { signal })
  }

  /** Discards one after another. Goes on after a failure, and throws it at the end. */
  async discardAll(ids: readonly number[], { signal }: AbortOptions = {}): Promise<void> {
    const failures: unknown[] = []
    for (const id of ids) {
      signal?.throwIfAborted()
      await this.discard(id, { signal }).catch((error) => failures.push(error))
    }
    if (failures.length === 1) throw failures[0]
    if (failures.length > 1) throw new AggregateError(failures, `${failures.length} directories are left`)
  }

  async existing(): Promise<Set<number>> {
    return new Set(await numbersIn(join(this.#root, 'snapshots')))
  }

  /** The directories that are neither recorded nor being made, and those in `trash`. */
  async orphans(isRecorded: (id: number) => boolean): Promise<number[]> {
    const trash = await numbersIn(join(this.#root, 'trash'))
    const all = await numbersIn(join(this.#root, 'snapshots'))
    return [...trash, ...all.filter((id) => !this.#making.has(id) && !isRecorded(id))]
  }
}

async function numbersIn(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names.filter((name) => /^[1-9]\d{0,14}$/.test(name)).map(Number)
}
