import { CFunction } from '../c-function.ts'

const PR_SET_CHILD_SUBREAPER = 36

const prctl = new CFunction('int prctl(int option, ulong a, ulong b, ulong c, ulong d)')

/** Makes this process the parent of descendants whose own parents end (prctl(2)); children do not inherit that. */
export function becomeSubreaper(): void {
  prctl.callOrThrow(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}
