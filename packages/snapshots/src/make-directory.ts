import { chmodSync, mkdirSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { makeDirectories } from '@nsbox/errors/make-directories'

/**
 * Makes a directory with a mode that does not depend on the process's umask. Synchronous, which takes less than half of
 * the time of an asynchronous call.
 */
export function makeDirectory(path: string, mode: number): void {
  mkdirSync(path, { mode })
  chmodSync(path, mode)
}

/** Makes a directory of mode 0700, and those above it that are missing. One that exists gets that mode. */
export async function makePrivateDirectory(path: string): Promise<void> {
  makeDirectories(path, 0o700)
  await chmod(path, 0o700)
}
