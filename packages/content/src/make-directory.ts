import { dirname } from 'node:path'
import type { Durability } from '@nsbox/core/content'
import { makeDirectories } from '@nsbox/errors/make-directories'
import { syncDirectory } from './durability.ts'

/** Makes a directory for the owner alone, and those above it that are missing, and brings their names to the disk. */
export async function makeDirectory(path: string, durability: Durability): Promise<void> {
  for (const made of makeDirectories(path, 0o700)) await syncDirectory(dirname(made), durability)
}
