import { CFunction } from '../c-function.ts'

const trim = new CFunction('int malloc_trim(size_t pad)')

/**
 * Returns freed memory of this process to the system. glibc keeps it in the arenas of its threads, between pieces that
 * are still used (malloc_trim(3)).
 *
 * @throws `unimplemented` if the C library has no such function
 */
export async function trimMemory(): Promise<void> {
  await trim.callInThread(0)
}
