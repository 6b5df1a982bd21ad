import type { Reader } from '@nsbox/sqlite'
import type { BackingRef } from '../database/unused.ts'

/** A backing whose files a path leads to. */
export interface BackingAt extends BackingRef {
  readonly id: number
  readonly directory: string
  readonly parent: number | null
  /** Whether other snapshots may rely on its files: it is committed, or has children. */
  readonly committed: 0 | 1
}

const columns = `id, snapshotter, key, directory, parent,
  chain_id IS NOT NULL
    OR EXISTS (SELECT 1 FROM snapshot WHERE backing = backing.id AND kind = 'committed')
    OR EXISTS (SELECT 1 FROM backing AS child WHERE child.parent = backing.id) AS committed`

const selectAmong = `SELECT ${columns} FROM backing WHERE directory IN (SELECT value FROM json_each(?))`

/**
 * The backings whose files are reached by a directory: it is in their directory, or their directories are in it.
 * @param path without symbolic links
 */
export function backingsAt(db: Reader, path: string): BackingAt[] {
  // With OR in its place, SQLite might read all backings.
  const sql = `${selectAmong} UNION ALL SELECT ${columns} FROM backing WHERE directory > ? AND directory < ?`
  return db.all<BackingAt>(sql, pathsTo(path), ...rangeIn(path))
}

/** The backing whose directory a path is or is in. */
export function backingsAround(db: Reader, path: string): BackingAt[] {
  return db.all<BackingAt>(selectAmong, pathsTo(path))
}

/** A path and all directories above it, as JSON. */
function pathsTo(path: string): string {
  const components = path.split('/')
  return JSON.stringify(components.map((_, count) => components.slice(0, count + 1).join('/') || '/'))
}

/** The backing whose own directory, made by its snapshotter, is directly in this one. */
export function backingsOf(db: Reader, path: string): BackingAt[] {
  const [from, to] = rangeIn(path)
  const sql = `SELECT ${columns} FROM backing WHERE directory > ? AND directory < ?
    AND instr(substr(directory, ?), '/') = 0`
  return db.all<BackingAt>(sql, from, to, from.length + 1)
}

/** Those of some directories that are the directories of backings, without resolving links. */
export function backingsWith(db: Reader, directories: readonly string[]): BackingAt[] {
  return db.all<BackingAt>(selectAmong, JSON.stringify(directories))
}

/** One of some backings that another namespace has, if there is one. */
export function anyOfOthers(db: Reader, backings: readonly number[], namespace: string): number | undefined {
  const sql = `SELECT backing FROM snapshot
    WHERE backing IN (SELECT value FROM json_each(?)) AND namespace <> ? LIMIT 1`
  return db.get<{ backing: number }>(sql, JSON.stringify(backings), namespace)?.backing
}

/** Lower and upper bound of all paths in a directory. */
function rangeIn(path: string): [string, string] {
  const prefix = path === '/' ? path : `${path}/`
  // The character after the slash.
  return [prefix, `${prefix.slice(0, -1)}0`]
}
