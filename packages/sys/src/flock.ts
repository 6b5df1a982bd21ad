import { systemCalls } from './platform.ts'

/**
 * Takes an exclusive lock on an open file without waiting. The lock belongs to the open file description: it ends
 * when the last descriptor of it is closed, by whatever way the process ends, and a second `open` of the same file
 * conflicts with it even within one process.
 *
 * @returns whether the lock is held now; false if someone else holds it
 * @throws `unimplemented` on a platform without the call; otherwise an error whose detail `errno` names it, such as
 * `EBADF`
 */
export function tryFlock(fd: number): boolean {
  return systemCalls.flock(fd)
}
