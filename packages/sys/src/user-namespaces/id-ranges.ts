import { readFileSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'

/** Ids of a user namespace that stand for ids of the namespace above it (user_namespaces(7)). */
export interface IdRange {
  /** The first id in the namespace. */
  readonly inside: number
  /** The first id in the namespace above it. */
  readonly outside: number
  readonly count: number
}

/** All ids but -1, which stands for none. */
const allIds = 2 ** 32 - 1

/** Reads the text of `/proc/<pid>/uid_map` or `gid_map`. */
export function parseIdRanges(text: string): IdRange[] {
  return [...text.matchAll(/^\s*(\d+)\s+(\d+)\s+(\d+)\s*$/gm)].map(([, inside, outside, count]) => ({
    inside: Number(inside),
    outside: Number(outside),
    count: Number(count),
  }))
}

/** The ids that this process's user namespace has; all of them on systems without user namespaces. */
export function ownIdRanges(kind: 'uid' | 'gid'): readonly IdRange[] {
  try {
    return parseIdRanges(readFileSync(`/proc/self/${kind}_map`, 'latin1'))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [{ inside: 0, outside: 0, count: allIds }]
    throw error
  }
}

/** Whether this process is in a user namespace that lacks ids of the system. */
export function isInUserNamespace(): boolean {
  return !ownIdRanges('uid').some(
    ({ inside, outside, count }) => inside === 0 && outside === 0 && count === allIds,
  )
}

/** Whether ranges contain an id of their namespace. */
export function hasId(ranges: readonly IdRange[], id: number): boolean {
  return ranges.some(({ inside, count }) => id >= inside && id - inside < count)
}
