import { constants, readdirSync } from 'node:fs'
import { constants as os } from 'node:os'
import { fileCalls, resolveFlags } from '@nsbox/sys/files'
import type { ByteString } from '../tar/byte-string.ts'
import { closeDescriptor, opened } from './descriptors.ts'
import { checkResult } from './file-result.ts'

const { EISDIR, ENOENT, EPERM } = os.errno

/**
 * Removes what a name in an open directory stands for, with all below it. Symbolic links are removed, not followed,
 * and nothing on another file system is touched.
 *
 * @param entry of the layer, for errors
 * @returns whether it was a directory
 */
export function removeTree(directory: number, name: ByteString, entry: ByteString): boolean {
  const removed = fileCalls.unlinkat(directory, name, false)
  if (removed >= 0 || removed === -ENOENT) return false
  // POSIX has EPERM for a directory where Linux has EISDIR; some file systems keep to it.
  if (removed !== -EISDIR && removed !== -EPERM) checkResult(removed, 'unlink', entry)
  const fd = opened(checkResult(openBelow(directory, name), 'open', entry))
  try {
    for (const child of namesIn(fd)) removeTree(fd, child, entry)
  } finally {
    closeDescriptor(fd)
  }
  checkResult(fileCalls.unlinkat(directory, name, true), 'rmdir', entry)
  return true
}

function openBelow(directory: number, name: ByteString): number {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
  // RESOLVE_NO_XDEV: a mount point below is never emptied.
  return fileCalls.openat2(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, resolveFlags.noCrossing)
}

/** The names in an open directory, as bytes. */
export function namesIn(fd: number): readonly ByteString[] {
  return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' })
}
