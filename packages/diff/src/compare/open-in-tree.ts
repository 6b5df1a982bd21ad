import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { constants as os } from 'node:os'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { fileCalls, O_PATH, RESOLVE } from '@nsbox/sys/files'
import { checkResult } from '../extract/file-result.ts'
import type { ByteString } from '../tar/byte-string.ts'
import { changing, failedFile, noLayer } from './tree-error.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
const { ELOOP, ENOENT, ENOTDIR, ENXIO, EXDEV } = os.errno
const gone = new Set([-ELOOP, -ENOENT, -ENOTDIR, -ENXIO])

/** Opens regular files of a tree for reading. No symbolic link is followed in any component of a path. */
export class OpenTree implements Disposable {
  /** The descriptor of the root. */
  readonly root: number

  constructor(root: string) {
    try {
      this.root = openSync(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    } catch (error) {
      if (isErrno(error, 'ENOTDIR') || isErrno(error, 'ELOOP'))
        throw new NsboxError('failed_precondition', `the tree ${JSON.stringify(root)} is no directory`)
      throw fromSystemError(error, `reading the tree ${JSON.stringify(root)}`)
    }
  }

  /**
   * The descriptor is the caller's.
   * @throws `aborted` if a directory has become a link, or the file is gone; `failed_precondition` if something is
   * mounted there
   */
  open(path: ByteString): number {
    const resolve = RESOLVE.IN_ROOT | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS | RESOLVE.NO_XDEV
    const place = checkOpened(fileCalls.openat2(this.root, path, O_PATH | O_NOFOLLOW, 0, resolve), path)
    try {
      // Only regular files are opened: opening a FIFO blocks, and opening a device can have effects.
      if (!fstatSync(place).isFile()) throw changing(path)
      return openSync(`/proc/self/fd/${place}`, O_RDONLY)
    } catch (error) {
      throw failedFile(error, path)
    } finally {
      closeSync(place)
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.root)
  }
}

/**
 * Opens a directory by its name in an open one, not through a link. The descriptor is the caller's.
 *
 * @param path for errors
 * @throws `aborted` if it is no directory any more; `failed_precondition` if something is mounted there
 */
export function openDirectoryIn(directory: number, name: ByteString, path: ByteString): number {
  const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
  const fd = fileCalls.openat2(directory, name, flags, 0, RESOLVE.NO_MAGICLINKS | RESOLVE.NO_XDEV)
  return checkOpened(fd, path)
}

function checkOpened(fd: number, path: ByteString): number {
  if (gone.has(fd)) throw changing(path)
  if (fd === -EXDEV) throw noLayer(path, 'something is mounted there')
  return checkResult(fd, 'open', path)
}
