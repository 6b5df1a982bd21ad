import { chmod } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Durability } from '@nsbox/core/content'
import { withErrorContext } from '@nsbox/errors'
import { type Clock, systemClock } from '@nsbox/time'
import { BlobFiles } from './blob-files.ts'
import { syncDirectory } from './durability.ts'
import { Ingests } from './ingests.ts'
import { algorithms, layoutAt } from './layout.ts'
import { LocalContentStore } from './local-content-store.ts'
import { makeDirectory } from './make-directory.ts'
import { removeLeftovers } from './remove-leftovers.ts'

export interface OpenContentStoreOptions {
  /** The directory of the store, made if it is missing; afterwards only its owner may enter it. */
  readonly root: string
  /** `full` by default. */
  readonly durability?: Durability | undefined
  /** `systemClock` by default. */
  readonly clock?: Clock | undefined
}

/**
 * Opens the content store in a directory and completes or removes what a process left when it died. The caller makes
 * sure that a directory has one open store at a time, in all processes.
 *
 * @throws `permission_denied`, `resource_exhausted` and others, as the file system has it
 */
export async function openContentStore(options: OpenContentStoreOptions): Promise<LocalContentStore> {
  const { durability = 'full', clock = systemClock } = options
  const layout = layoutAt(resolve(options.root))
  return await withErrorContext(`opening content store ${layout.root}`, async () => {
    await makeDirectory(layout.root, durability)
    await chmod(layout.root, 0o700)
    const blobDirectories = algorithms.map((algorithm) => layout.blobs(algorithm))
    const labelDirectories = algorithms.map((algorithm) => layout.labels(algorithm))
    for (const directory of [layout.ingests, ...labelDirectories, ...blobDirectories])
      await makeDirectory(directory, durability)
    // The process that named the newest blobs may have died before the names were on the disk.
    for (const directory of blobDirectories) await syncDirectory(directory, durability)
    const blobs = new BlobFiles(layout, { durability, clock })
    await removeLeftovers(layout, blobs)
    const ingests = new Ingests(layout, { blobs, durability, clock })
    return new LocalContentStore(layout, { blobs, ingests })
  })
}
