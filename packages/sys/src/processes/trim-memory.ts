import { CFunction } from '../c-function.ts'

const trim = new CFunction('int malloc_trim(size_t pad)')

/**
 * Gives memory back to the system that this process has freed. glibc keeps it in the arenas of its threads, where what is
 * still used lies in between (malloc_trim(3)).
 *
 * @throws `unimplemented` if the C library does no such thing
 */
export async function trimMemory(): Promise<void> {
  await trim.callInThread(0)
}
