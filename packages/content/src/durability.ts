import { closeSync, fsync, openSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Durability } from '@nsbox/core/content'

const sync = promisify(fsync)

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
