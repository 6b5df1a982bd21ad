import { constants } from 'node:os'
import { CFunction } from '../c-function.ts'

const P_ALL = 0
const P_PID = 1
const WNOHANG = 1
const WEXITED = 4
const WNOWAIT = 0x01000000
const CLD_EXITED = 1
const { ECHILD } = constants.errno

const waitid = new CFunction('int waitid(int type, int id, void *info, int options)')

// siginfo_t of 64-bit Linux.
const info = new Int32Array(32)
const code = 2
const pidField = 4
const status = 6

/**
 * An ended child that has not been waited for; it stays so (waitid(2) with WNOWAIT). Of several it is always the same
 * one.
 * @returns its pid; undefined if there is none
 */
export function peekEndedChild(): number | undefined {
  info[pidField] = 0
  const result = waitid.call(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT)
  if (result === -ECHILD) return undefined
  waitid.succeeded(result)
  return info[pidField] || undefined
}

/** How a child has ended: its exit code, or the number of the signal. */
export type ChildEnd = { readonly code: number } | { readonly signal: number }

/**
 * Waits for a child if it has ended, without blocking. Its pid may be reused afterwards.
 * @returns undefined while it runs, or if this process has no such child
 */
export function reapEndedChild(pid: number): ChildEnd | undefined {
  info[pidField] = 0
  const result = waitid.call(P_PID, pid, info, WEXITED | WNOHANG)
  if (result === -ECHILD) return undefined
  waitid.succeeded(result)
  if (info[pidField] === 0) return undefined
  return info[code] === CLD_EXITED ? { code: info[status]! } : { signal: info[status]! }
}

/** As `reapEndedChild`, with 128 plus the number of the signal for one that a signal ended. */
export function reapChild(pid: number): number | undefined {
  const end = reapEndedChild(pid)
  if (end === undefined) return undefined
  return 'code' in end ? end.code : 128 + end.signal
}
