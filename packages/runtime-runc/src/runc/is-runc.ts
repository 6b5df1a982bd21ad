import { basename } from 'node:path'
import { isElf } from '@nsbox/supervisor/programs'

/**
 * Whether a program is runc itself: it has the name, and is no script, which may do other things besides. What is known
 * of runc does not hold for programs that only have its command line.
 */
export function isRunc(path: string): boolean {
  return basename(path) === 'runc' && isElf(path)
}
