import { mkdtemp, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { runOrThrow } from './run.ts'
import type { TempDir } from './temp-dir.ts'

/**
 * A directory for one test that is a file system in memory, for tests that mount: disposing of it removes all mounts in
 * it, and they are visible in no other mount namespace. Needs root.
 */
export async function scratchMount(): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), 'nsbox-scratch-'))
  const options = 'mode=0700,size=256m'
  try {
    await runOrThrow('mount', ['-t', 'tmpfs', '-o', options, '--make-private', 'nsbox-scratch', path])
  } catch (error) {
    await rmdir(path)
    throw error
  }
  return {
    path,
    async [Symbol.asyncDispose]() {
      await runOrThrow('umount', ['--lazy', path])
      await removeMountPoint(path)
    },
  }
}

/**
 * Never recursively: remaining files are not the test's. A recursive bind mount of a directory above, as `runc restore`
 * makes for a moment, has a copy of the mount, and the directory cannot be removed meanwhile.
 */
async function removeMountPoint(path: string): Promise<void> {
  const giveUp = performance.now() + 10_000
  for (;;) {
    try {
      return await rmdir(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || performance.now() >= giveUp) throw error
    }
    await setTimeout(100)
  }
}
