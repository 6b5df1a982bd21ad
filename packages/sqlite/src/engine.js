// @ts-check
/**
 * Loads SQLite: better-sqlite3, or Node's own where that has no binary for this Node, as after an installation that ran
 * no scripts. Plain JavaScript, because the thread that checkpoints loads it by Node itself.
 */
import { createRequire } from 'node:module'

/** @typedef {'better-sqlite3' | 'node:sqlite'} EngineName */

/**
 * What both have of a connection.
 * @typedef {object} RawConnection
 * @property {(sql: string) => { get(): unknown }} prepare
 * @property {(sql: string) => unknown} exec
 * @property {() => void} close
 */

/**
 * @template {RawConnection} [Connection=RawConnection]
 * @typedef {object} Engine
 * @property {EngineName} name
 * @property {(path: string) => Connection} open makes the file if it does not exist
 */

const load = createRequire(import.meta.url)

/** @type {Engine | undefined} */
let loaded

/**
 * The engine of this process. Two must not have a file open in one process: the one that closes it would drop the
 * locks of the other.
 *
 * @param {EngineName} [only] no other one will do
 * @returns {Engine | undefined} undefined if there is none
 */
export function loadEngine(only) {
  loaded ??= firstEngine(only)
  return loaded
}

/** @param {EngineName | undefined} only */
function firstEngine(only) {
  if (only !== 'node:sqlite') {
    const better = betterSqlite()
    if (better) return better
  }
  return only === 'better-sqlite3' ? undefined : nodeSqlite()
}

/** @returns {Engine | undefined} undefined if it is not installed, or has no binary for this Node */
function betterSqlite() {
  try {
    const Sqlite = load('better-sqlite3')
    // Its binary is loaded with the first database.
    new Sqlite(':memory:').close()
    return { name: 'better-sqlite3', open: (path) => new Sqlite(path) }
  } catch {
    // Whatever keeps it from being loaded, the other one takes its place, or the caller says that there is none.
    return undefined
  }
}

/** @returns {Engine | undefined} undefined before Node 22.16, whose own lacks what is needed */
function nodeSqlite() {
  try {
    const { DatabaseSync, StatementSync } = quietly(() => load('node:sqlite'))
    if (!('setReturnArrays' in StatementSync.prototype)) return undefined
    return { name: 'node:sqlite', open: (path) => new DatabaseSync(path) }
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ERR_UNKNOWN_BUILTIN_MODULE') return undefined
    throw error
  }
}

/**
 * Loads what Node 22 calls experimental, which its users have not chosen, without a word about that.
 *
 * @template T
 * @param {() => T} work
 * @returns {T}
 */
function quietly(work) {
  const { emitWarning } = process
  process.emitWarning = () => undefined
  try {
    return work()
  } finally {
    process.emitWarning = emitWarning
  }
}
