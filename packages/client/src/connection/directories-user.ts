import { readFileSync, statSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'

/** What a program can be told of the system that it runs on. */
export interface System {
  readonly uid: number
  /** Owner of `/run`; undefined where there is none. */
  readonly runOwner: () => number | undefined
  /** The text of `/proc/self/uid_map`. */
  readonly uidMap: () => string
}

/**
 * The user in whose directories a program keeps its files and sockets; 0 for root of the system, whose are in `/run`
 * and `/var/lib`. Root of a user namespace on somebody else's system, where `/run` is not root's, is the user outside
 * that it stands for.
 */
export function directoriesUser({ uid, runOwner, uidMap }: System = thisSystem): number {
  if (uid !== 0) return uid
  const owner = runOwner()
  if (owner === undefined || owner === 0) return 0
  const [, outside] = /^\s*0\s+(\d+)\s/m.exec(uidMap()) ?? []
  return Number(outside ?? 0)
}

const thisSystem: System = {
  get uid() {
    return process.geteuid?.() ?? 0
  },
  runOwner() {
    try {
      return statSync('/run').uid
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined
      throw error
    }
  },
  uidMap: () => readFileSync('/proc/self/uid_map', 'latin1'),
}
