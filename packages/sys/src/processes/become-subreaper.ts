import { linuxFunction, succeeded } from '../linux-function.ts'

const PR_SET_CHILD_SUBREAPER = 36

const prctl = linuxFunction('int prctl(int option, ulong a, ulong b, ulong c, ulong d)')

/** Makes this process the parent of its descendants whose own parents end (prctl(2)); its children do not inherit that. */
export function becomeSubreaper(): void {
  succeeded('prctl', prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}
