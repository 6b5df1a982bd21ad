import { closeSync, fsync, openSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Coalescer } from '@nsbox/concurrency'
import type { Durability } from '@nsbox/core/content'

const sync = promisify(fsync)

/** Syncs a file. */
export async function syncFile(handle: FileHandle, durability: Durability): Promise<void> {
  if (durability === 'full') await handle.sync()
}

/** Syncs a directory: what was created, renamed or removed in it. */
export async function syncDirectory(path: string, durability: Durability): Promise<void> {
  if (durability !== 'full') return
  const directory = openSync(path, 'r')
  try {
    await sync(directory)
  } finally {
    closeSync(directory)
  }
}

/**
 * `syncDirectory`, shared by all calls that come while an earlier sync is under way. `run` resolves once everything
 * that was created, renamed or removed before the call is on the disk.
 */
export function sharedDirectorySync(path: string, durability: Durability): Coalescer {
  return new Coalescer(() => syncDirectory(path, durability))
}
