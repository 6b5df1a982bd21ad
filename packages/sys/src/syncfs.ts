import { CFunction } from './c-function.ts'

const call = new CFunction('int syncfs(int fd)')

/**
 * syncfs(2): brings everything that was written to the file system of an open file to its disk. A thread waits for it.
 *
 * @throws an error whose detail `errno` names it; since Linux 5.8 also for what could not be written, before the call
 * as well, but each such failure is reported only once per open file description
 */
export async function syncfs(fd: number): Promise<void> {
  call.succeeded(await call.callInThread(fd))
}
