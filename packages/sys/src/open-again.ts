import { constants } from 'node:os'

const { EAGAIN } = constants.errno

/** More often than renames ever interfere, even those of a process that does nothing else. */
const attempts = 10_000

/**
 * Repeats a scoped call of openat2(2) that failed because the tree was changing. In a scope (RESOLVE_BENEATH,
 * RESOLVE_IN_ROOT) the kernel does not accept a `..` that it followed while anything on the host was renamed or
 * mounted, and returns EAGAIN; so any user could prevent others from opening files.
 *
 * @param attempt makes the call, and returns the negated errno if it fails
 */
export function openAgain(attempt: () => number): number {
  for (let left = attempts; ; left--) {
    const result = attempt()
    if (left === 0 || result !== -EAGAIN) return result
  }
}
