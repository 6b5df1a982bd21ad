import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Durability } from '@nsbox/core/content'
import { syncDirectory } from './durability.ts'

/** Makes a directory for the owner alone, and those above it that are missing, and brings their names to the disk. */
export async function makeDirectory(path: string, durability: Durability): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = path; ; made = dirname(made)) {
    await syncDirectory(dirname(made), durability)
    if (made === first) return
  }
}
