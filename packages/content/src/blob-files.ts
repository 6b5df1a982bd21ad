import { renameSync, statSync } from 'node:fs'
import { type FileHandle, open, readdir, rename, unlink } from 'node:fs/promises'
import { type Coalescer, KeyedMutex, mapConcurrently } from '@nsbox/concurrency'
import type { AbortOptions, ContentInfo, Durability } from '@nsbox/core/content'
import { changeLabels, type LabelChange, type Labels } from '@nsbox/core/labels'
import { isErrno, NsboxError } from '@nsbox/errors'
import { validateLabels } from '@nsbox/namespaces'
import { type Digest, type DigestAlgorithm, digestAlgorithm, isDigest } from '@nsbox/oci'
import { type Clock, Timestamp } from '@nsbox/time'
import { type LabelRecord, readLabels, removeLabels, writeLabels } from './blob-labels.ts'
import { sharedDirectorySync } from './durability.ts'
import { hashFile } from './hash-file.ts'
import { algorithms, filesAtOnce, type Layout } from './layout.ts'
import { contentNotFound } from './read-blob-file.ts'

/** A file that is to become a blob; its bytes have this digest and size. */
export interface CheckedFile {
  readonly path: string
  readonly digest: Digest
  readonly size: number
}

export interface PublishOptions extends AbortOptions {
  readonly labels: Labels
  /** Sets the file's time and syncs it; called only if the blob does not exist yet. */
  finish(createdAt: Timestamp): Promise<void>
}

/** Committed blobs as files. Errors of the operating system pass through. */
export class BlobFiles {
  readonly #layout: Layout
  readonly #durability: Durability
  readonly #clock: Clock
  /** Changes of a blob or its labels go one after another; readers do not wait. */
  readonly #changes = new KeyedMutex()
  readonly #names: Readonly<Record<DigestAlgorithm, Coalescer>>

  constructor(layout: Layout, { durability, clock }: { durability: Durability; clock: Clock }) {
    this.#layout = layout
    this.#durability = durability
    this.#clock = clock
    const names = (algorithm: DigestAlgorithm) => sharedDirectorySync(layout.blobs(algorithm), durability)
    this.#names = { sha256: names('sha256'), sha512: names('sha512') }
  }

  /** @throws `not_found`, `invalid_argument` */
  async info(digest: Digest): Promise<ContentInfo> {
    const info = await this.#find(digest)
    if (info === undefined) throw contentNotFound(digest)
    return info
  }

  /** The path of a blob. @throws `not_found` */
  path(digest: Digest): string {
    if (this.#findFile(digest) === undefined) throw contentNotFound(digest)
    return this.#layout.blob(digest)
  }

  /** Whether there is a blob with this digest, and with this size if that is known. Waits for a commit under way. */
  async has(digest: Digest, size: number | undefined): Promise<boolean> {
    const file = await this.#changes.run(digest, async () => this.#findFile(digest))
    return file !== undefined && (size === undefined || file.size === size)
  }

  /** @throws `not_found`, `invalid_argument` */
  async update(digest: Digest, change: LabelChange): Promise<ContentInfo> {
    return await this.#changes.run(digest, async () => {
      const info = await this.info(digest)
      const labels = changeLabels(info.labels, change)
      validateLabels(labels, 'info.Labels')
      const updatedAt = this.#clock.stamp(info.updatedAt)
      await writeLabels(this.#layout.labelsOf(digest), { updatedAt, labels }, this.#durability)
      return { ...info, updatedAt, labels }
    })
  }

  /** All blobs in the order of their digests. Files with other names are left out. */
  async *list(options: AbortOptions): AsyncGenerator<ContentInfo> {
    for (const algorithm of algorithms) {
      const names = await readdir(this.#layout.blobs(algorithm))
      const digests = names
        .map((name) => `${algorithm}:${name}`)
        .filter(isDigest)
        .sort()
      for (let start = 0; start < digests.length; start += filesAtOnce) {
        const batch = digests.slice(start, start + filesAtOnce)
        const found = await mapConcurrently(batch, (digest) => this.#find(digest), options)
        yield* found.filter((info) => info !== undefined)
      }
    }
  }

  /** @throws `not_found`, `invalid_argument` */
  async delete(digest: Digest): Promise<void> {
    const path = this.#layout.blob(digest)
    await this.#changes.run(digest, async () => {
      try {
        await unlink(path)
      } catch (error) {
        if (isErrno(error, 'ENOENT')) throw contentNotFound(digest)
        throw error
      }
      // Labels are removed last: a visible blob never lacks them, not even after a power cut.
      await this.#syncNames(digest)
      await removeLabels(this.#layout.labelsOf(digest), this.#durability)
    })
  }

  /**
   * Renames a file to its digest. An existing blob stays if its bytes are right, and is replaced if it is damaged.
   *
   * If the directory cannot be synced, the file is renamed back: a failure must not leave a blob that a power cut could
   * remove.
   *
   * @throws `already_exists` if the blob was there
   */
  async publish(
    { path, digest, size }: CheckedFile,
    { labels, finish, signal }: PublishOptions,
  ): Promise<ContentInfo> {
    const target = this.#layout.blob(digest)
    return await this.#changes.run(digest, async () => {
      if (await isSound(target, { digest, size, signal })) {
        await this.#syncNames(digest)
        throw new NsboxError('already_exists', `content ${digest}`, { details: { digest } })
      }
      signal?.throwIfAborted()
      const createdAt = this.#clock.stamp()
      await finish(createdAt)
      const given = changeLabels({}, { replace: labels })
      await this.#setLabels(digest, { updatedAt: createdAt, labels: given })
      renameSync(path, target)
      try {
        await this.#syncNames(digest)
      } catch (error) {
        await rename(target, path)
        throw error
      }
      return { digest, size, createdAt, updatedAt: createdAt, labels: given }
    })
  }

  async #syncNames(digest: Digest): Promise<void> {
    await this.#names[digestAlgorithm(digest)].run()
  }

  async #setLabels(digest: Digest, record: LabelRecord): Promise<void> {
    const path = this.#layout.labelsOf(digest)
    if (Object.keys(record.labels).length === 0) await removeLabels(path, this.#durability)
    else await writeLabels(path, record, this.#durability)
  }

  async #find(digest: Digest): Promise<ContentInfo | undefined> {
    const file = this.#findFile(digest)
    if (file === undefined) return undefined
    const { size, createdAt } = file
    const record = await readLabels(this.#layout.labelsOf(digest))
    const updatedAt = record !== undefined && record.updatedAt > createdAt ? record.updatedAt : createdAt
    return { digest, size, createdAt, updatedAt, labels: record?.labels ?? {} }
  }

  #findFile(digest: Digest): { size: number; createdAt: Timestamp } | undefined {
    const stats = statSync(this.#layout.blob(digest), { bigint: true, throwIfNoEntry: false })
    if (stats?.isFile() !== true) return undefined
    const createdAt = Timestamp.fromEpochMicroseconds(Number(stats.mtimeNs / 1000n))
    return { size: Number(stats.size), createdAt }
  }
}

/** Whether there is a file with exactly these bytes. */
async function isSound(
  path: string,
  { digest, size, signal }: { digest: Digest; size: number } & AbortOptions,
): Promise<boolean> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return false
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false
    throw error
  }
  try {
    if ((await handle.stat()).size !== size) return false
    const hasher = await hashFile(handle, size, { algorithm: digestAlgorithm(digest), signal })
    return hasher.digest() === digest
  } finally {
    await handle.close()
  }
}
