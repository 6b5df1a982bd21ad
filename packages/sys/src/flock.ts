import { constants } from 'node:os'
import { CFunction } from './c-function.ts'

// The same values in <sys/file.h> of Linux, macOS and FreeBSD.
const LOCK_EX = 2
const LOCK_NB = 4
// EWOULDBLOCK has the number of EAGAIN on all three.
const { EAGAIN } = constants.errno

const flock = new CFunction('int flock(int fd, int operation)', { platforms: ['linux', 'darwin', 'freebsd'] })

/**
 * Takes an exclusive lock on an open file without waiting (flock(2)). The lock belongs to the open file description: it
 * ends when its last descriptor is closed, for example by the end of the process, and a second `open` of the same file
 * conflicts with it even within one process.
 *
 * @returns whether the lock is held now; false if another holds it
 * @throws `unimplemented` on a platform without the call; otherwise an error whose detail `errno` names it, such as
 * `EBADF`
 */
export function tryFlock(fd: number): boolean {
  const result = flock.call(fd, LOCK_EX | LOCK_NB)
  if (result === -EAGAIN) return false
  flock.succeeded(result)
  return true
}
