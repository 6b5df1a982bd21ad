import { closeSync, fsync, openSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'

const sync = promisify(fsync)

/**
 * `full`: what was answered survives a power cut. `relaxed`: it survives the death of the process only; for hosts
 * that are thrown away.
 */
export type Durability = 'full' | 'relaxed'

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
