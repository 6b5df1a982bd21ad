import { CFunction } from './c-function.ts'

const call = new CFunction('int syncfs(int fd)')

/**
 * syncfs(2): writes everything of the file system of an open file to its disk. Waits in a thread.
 *
 * @throws an error whose detail `errno` names it; since Linux 5.8 also for earlier writes that failed, but each such
 * failure is reported only once per open file description
 */
export async function syncfs(fd: number): Promise<void> {
  call.succeeded(await call.callInThread(fd))
}
