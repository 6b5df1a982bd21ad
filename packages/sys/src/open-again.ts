/** Far more often than renames come in between, even where somebody does nothing else. */
const attempts = 10_000

/**
 * Makes a call of openat2(2) again that has found the tree changing. Within a scope (RESOLVE_BENEATH, RESOLVE_IN_ROOT) the
 * kernel does not vouch for a `..` that it followed while anything on the host was renamed or mounted, and says EAGAIN; any
 * user could keep others from opening files by that.
 *
 * @param attempt makes the call
 * @param isAgain says of what it returned whether it was EAGAIN
 */
export function openAgain<T>(attempt: () => T, isAgain: (result: T) => boolean): T {
  for (let left = attempts; ; left--) {
    const result = attempt()
    if (left === 0 || !isAgain(result)) return result
  }
}
