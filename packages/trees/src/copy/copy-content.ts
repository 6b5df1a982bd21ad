import { ftruncateSync } from 'node:fs'
import { constants } from 'node:os'
import { NsboxError } from '@nsbox/errors'
import { fileCalls } from '@nsbox/sys/files'
import { checkResult } from '../walk/file-result.ts'
import type { Walk } from '../walk/walk.ts'

const { ENXIO } = constants.errno

/** Most bytes of one call, which cannot be interrupted. */
const piece = 16 * 1024 * 1024

/**
 * Copies the content of an open file to an empty one. Holes stay holes, and where the file system can, both files share
 * their blocks.
 *
 * @param size size of the file; `failed_precondition` if it has become shorter
 */
export function* copyContent(from: number, to: number, size: number): Walk<void> {
  for (let at = 0; at < size; ) {
    const data = fileCalls.seekData(from, at)
    // The rest is a hole.
    if (data === -ENXIO) break
    const end = Math.min(checkResult(fileCalls.seekHole(from, checkResult(data, 'lseek')), 'lseek'), size)
    for (at = data; at < end; ) {
      yield
      const copied = fileCalls.copyFileRange(from, at, to, at, Math.min(piece, end - at))
      if (checkResult(copied, 'copy_file_range') === 0)
        throw new NsboxError('failed_precondition', 'it changed while it was copied')
      at += copied
    }
  }
  ftruncateSync(to, size)
}
