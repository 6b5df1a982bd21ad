import { readFileSync } from 'node:fs'
import { isErrno } from '@nsbox/errors'
import type { IdRange } from './id-ranges.ts'

/** Who asks, by the names that subuid(5) knows a user by. */
export interface IdOwner {
  /** Undefined for a user without an account. */
  readonly name: string | undefined
  readonly uid: number
}

/**
 * The ids that a file such as `/etc/subuid` gives a user (subuid(5)): lines of a name or id, the first id and their
 * number. Lines of another form are left out.
 *
 * @param text the file's
 */
export function parseSubordinateIds(
  text: string,
  { name, uid }: IdOwner,
): readonly Omit<IdRange, 'inside'>[] {
  return text.split('\n').flatMap((line) => {
    const [, owner, first, count] = /^([^:]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? []
    if (owner === undefined || (owner !== name && owner !== String(uid)) || Number(count) === 0) return []
    return [{ outside: Number(first), count: Number(count) }]
  })
}

/** The ids of a user's in `/etc/subuid` or `/etc/subgid`; none if there is no such file. */
export function subordinateIds(kind: 'uid' | 'gid', owner: IdOwner): readonly Omit<IdRange, 'inside'>[] {
  try {
    return parseSubordinateIds(readFileSync(`/etc/sub${kind}`, 'utf8'), owner)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/**
 * The ranges of a new user namespace: 0 is the user's own id, and the others are the subordinate ones, one range after
 * another.
 */
export function rangesFor(own: number, others: readonly Omit<IdRange, 'inside'>[]): readonly IdRange[] {
  const ranges: IdRange[] = [{ inside: 0, outside: own, count: 1 }]
  let inside = 1
  for (const { outside, count } of others) {
    ranges.push({ inside, outside, count })
    inside += count
  }
  return ranges
}
