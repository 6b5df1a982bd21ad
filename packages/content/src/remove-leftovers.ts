import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { mapConcurrently } from '@nsbox/concurrency'
import type { BlobFiles } from './blob-files.ts'
import { readIngest, removeIngest } from './ingest-directory.ts'
import { algorithms, filesAtOnce, type Layout, labelledDigest } from './layout.ts'

/**
 * Removes what a process that died has left between two steps: incomplete ingests, ingests whose data has become a
 * blob, and labels without a blob. Must be called before any other use of the store.
 */
export async function removeLeftovers(layout: Layout, blobs: BlobFiles): Promise<void> {
  const ingests = (await readdir(layout.ingests)).map((name) => join(layout.ingests, name))
  await finish(ingests, async (directory) => {
    if ((await readIngest(directory)) === undefined) await removeIngest(directory)
  })
  for (const algorithm of algorithms) {
    await finish(await readdir(layout.labels(algorithm)), async (name) => {
      const digest = labelledDigest(algorithm, name)
      const used = digest !== undefined && (await blobs.has(digest, undefined))
      if (!used) await rm(join(layout.labels(algorithm), name), { force: true })
    })
  }
}

async function finish<T>(items: readonly T[], body: (item: T) => Promise<void>): Promise<void> {
  await mapConcurrently(items, body, { concurrency: filesAtOnce })
}
