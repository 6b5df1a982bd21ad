import { closeSync, fsync, openSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import { Coalescer } from '@nsbox/concurrency'

const sync = promisify(fsync)

/**
 * `full`: what was answered survives a power cut. `relaxed`: it survives the death of the process only; for hosts
 * that are thrown away.
 */
export type Durability = 'full' | 'relaxed'

/** Brings what a file holds to the disk. */
export async function syncFile(handle: FileHandle, durability: Durability): Promise<void> {
  if (durability === 'full') await handle.sync()
}

/** Brings the names in a directory to the disk: what was created, renamed or removed there. */
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
 * `syncDirectory`, once for all who ask while an earlier sync is under way: each of them has to wait for the disk anyway.
 * `run` resolves once everything that was created, renamed or removed before the call is on the disk.
 */
export function sharedDirectorySync(path: string, durability: Durability): Coalescer {
  return new Coalescer(() => syncDirectory(path, durability))
}
