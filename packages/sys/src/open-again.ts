import { constants } from 'node:os'

const { EAGAIN } = constants.errno

/** More than renames ever interfere, even of a process that does nothing else. */
const attempts = 10_000

/**
 * Makes a call of openat2(2) within a scope again that has found the tree changing. In one (RESOLVE_BENEATH,
 * RESOLVE_IN_ROOT) the kernel does not vouch for a `..` that it followed while anything on the host was renamed or
 * mounted, and says EAGAIN; any user could keep others from opening files by that.
 *
 * @param attempt makes the call, and returns the negated errno where it fails
 */
export function openAgain(attempt: () => number): number {
  for (let left = attempts; ; left--) {
    const result = attempt()
    if (left === 0 || result !== -EAGAIN) return result
  }
}
