import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Durability } from '@nsbox/core/content'
import { syncDirectory, syncFile } from './durability.ts'

/** Gives a file new content in one step. Calls for one path must not overlap. */
export async function replaceFile(path: string, content: string, durability: Durability): Promise<void> {
  const temporary = `${path}.tmp`
  try {
    const handle = await open(temporary, 'w', 0o600)
    try {
      await handle.writeFile(content)
      await syncFile(handle, durability)
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncDirectory(dirname(path), durability)
}
