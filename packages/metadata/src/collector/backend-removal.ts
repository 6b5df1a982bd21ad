import { mapConcurrently } from '@nsbox/concurrency'
import type { ContentStore } from '@nsbox/core/content'
import { isNotFound } from '@nsbox/errors'
import type { Digest } from '@nsbox/oci'
import type { Reader } from '@nsbox/sqlite'
import type { BlobGate } from '../content/blob-gate.ts'
import { ingestOfBackend } from '../content/ingest-row.ts'
import type { Ledger } from '../database/ledger.ts'
import type { Log } from '../database/log.ts'
import type { Unused } from '../database/unused.ts'
import type { CommitsUnderWay } from '../snapshots/commits-under-way.ts'
import type { RemovalsUnderWay } from '../snapshots/removals-under-way.ts'
import { SnapshotRemoval } from '../snapshots/snapshot-removal.ts'
import type { Snapshotters } from '../snapshots/snapshotters.ts'

/** How many are removed at a time; each takes a thread for a while. */
const concurrency = 8

interface RemovalParts {
  readonly backend: ContentStore
  readonly snapshotters: Snapshotters
  readonly commits: CommitsUnderWay
  readonly removals: RemovalsUnderWay
  readonly ledger: Ledger
  readonly gate: BlobGate
  readonly log: Log
}

/**
 * Removes what no namespace needs from the backends, after the change of the database is durable: a row without its
 * file is a loss, a file without its row only takes space.
 */
export class BackendRemoval {
  readonly #parts: RemovalParts
  readonly #snapshots: SnapshotRemoval
  #blobs = new Set<Digest>()
  #ingests = new Set<string>()

  constructor(parts: RemovalParts) {
    this.#parts = parts
    this.#snapshots = new SnapshotRemoval(parts)
  }

  /** Whether something waits to be removed. */
  get pending(): boolean {
    return this.#blobs.size > 0 || this.#ingests.size > 0 || this.#snapshots.pending
  }

  /** Names objects that may be unused. */
  add({ blob, ingest, snapshot, mayCome }: Unused): void {
    if (blob !== undefined) this.#blobs.add(blob)
    if (ingest !== undefined) this.#ingests.add(ingest)
    if (snapshot !== undefined) this.#snapshots.add(snapshot, { mayCome })
  }

  /** Finds what an earlier process has left in the content store between two steps. */
  async findOrphans(): Promise<void> {
    const { backend, ledger } = this.#parts
    for await (const { digest } of backend.list()) {
      if (!ledger.peek((db) => isUsed(db, digest))) this.#blobs.add(digest)
    }
    for (const { ref } of await backend.statuses()) {
      if (ledger.peek((db) => ingestOfBackend(db, ref)) === undefined) this.#ingests.add(ref)
    }
  }

  /** The same for snapshotters that have not been searched yet. */
  async findOrphanSnapshots(): Promise<void> {
    await this.#snapshots.findOrphans()
  }

  /** The same for one snapshotter, as often as it is asked for. */
  async findOrphansOf(snapshotter: string): Promise<void> {
    await this.#snapshots.findOrphansOf(snapshotter)
  }

  /** Removes named objects that are unused. Those that cannot be removed now stay named. */
  async run(): Promise<{ blobs: number; bytes: number; trees: number }> {
    const blobs = this.#blobs
    const ingests = this.#ingests
    this.#blobs = new Set()
    this.#ingests = new Set()
    await this.#parts.ledger.durable()
    let bytes = 0
    let count = 0
    const removeBlob = async (digest: Digest) => {
      const size = await this.#removeBlob(digest)
      if (size === undefined) return
      bytes += size
      count++
    }
    await mapConcurrently(blobs, removeBlob, { concurrency })
    await mapConcurrently(ingests, (ref) => this.#removeIngest(ref), { concurrency })
    return { blobs: count, bytes, trees: await this.#snapshots.run() }
  }

  /** @returns the blob's size if it was removed */
  async #removeBlob(digest: Digest): Promise<number | undefined> {
    const { backend, ledger, gate, log } = this.#parts
    return await gate.remove(digest, async () => {
      if (ledger.peek((db) => isUsed(db, digest))) return undefined
      try {
        const { size } = await backend.info(digest)
        await backend.delete(digest)
        return size
      } catch (error) {
        if (isNotFound(error)) return undefined
        log.warn({ err: error, digest }, 'removing an unused blob')
        this.#blobs.add(digest)
        return undefined
      }
    })
  }

  async #removeIngest(ref: string): Promise<void> {
    const { backend, ledger, log } = this.#parts
    if (ledger.peek((db) => ingestOfBackend(db, ref)) !== undefined) return
    try {
      await backend.abort(ref)
    } catch (error) {
      if (isNotFound(error)) return
      log.warn({ err: error, ref }, 'removing an unused ingest')
      this.#ingests.add(ref)
    }
  }
}

/** Whether a namespace has the blob, or an ingest shares it. */
function isUsed(db: Reader, digest: Digest): boolean {
  const row = db.get(
    `SELECT 1 FROM content WHERE digest = ?
     UNION ALL SELECT 1 FROM ingest WHERE expected = ? AND shared_size IS NOT NULL LIMIT 1`,
    digest,
    digest,
  )
  return row !== undefined
}
