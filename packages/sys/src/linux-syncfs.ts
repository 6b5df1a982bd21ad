import { libcFunctionInThread } from './libc.ts'

const syncfs = libcFunctionInThread('int syncfs(int fd)')

/** syncfs(2) of Linux. */
export async function linuxSyncfs(fd: number): Promise<void> {
  await syncfs(fd)
}
