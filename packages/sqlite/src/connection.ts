import { NsboxError } from '@nsbox/errors'
import type Sqlite from 'better-sqlite3'
import { type EngineName, loadEngine } from './engine.js'

/** A value of a parameter: never a boolean or undefined, which SQLite does not have. */
export type SqlValue = string | number | bigint | null | Uint8Array

/** A connection to a database, the same with either engine. Its errors are the engine's; see `fromSqliteError`. */
export interface Connection {
  readonly engine: EngineName
  readonly isOpen: boolean
  /** Whether `PRAGMA wal_checkpoint(NOOP)` only counts pages, as it does from SQLite 3.51 on. */
  readonly countsPages: boolean
  prepare(sql: string): Statement
  exec(sql: string): void
  /** Ends a transaction, unless it has ended. */
  rollBack(): void
  close(): void
}

/** A prepared statement. Binary values are `Buffer`s. */
export interface Statement {
  get(...parameters: SqlValue[]): unknown
  all(...parameters: SqlValue[]): unknown[]
  iterate(...parameters: SqlValue[]): Iterable<unknown>
  /** All rows, as arrays of their columns. */
  rows(...parameters: SqlValue[]): unknown[][]
  run(...parameters: SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number | bigint }
}

/**
 * Opens a database, which is made if it does not exist.
 * @param timeout milliseconds to wait for a lock
 * @throws `failed_precondition` if this machine has no SQLite; errors of the engine
 */
export function openConnection(path: string, timeout: number): Connection {
  const { name, open } = loadEngine() ?? missing()
  const raw = open(path)
  const connection =
    name === 'better-sqlite3' ? betterConnection(raw as Sqlite.Database) : nodeConnection(raw as NodeDatabase)
  connection.exec(`PRAGMA busy_timeout = ${timeout}`)
  return connection
}

function missing(): never {
  const { arch, platform, version } = process
  throw new NsboxError(
    'failed_precondition',
    `SQLite is missing, since better-sqlite3 has no binary for Node ${version} on ${platform}-${arch}: take Node ` +
      `22.16 or later, which brings SQLite along (npx takes it with --package node-${platform}-${arch}@24), or have ` +
      '`npm rebuild --ignore-scripts=false better-sqlite3` fetch or compile one',
  )
}

function betterConnection(db: Sqlite.Database): Connection {
  return {
    engine: 'better-sqlite3',
    get isOpen() {
      return db.open
    },
    countsPages: true,
    prepare: (sql) => betterStatement(db.prepare(sql)),
    exec: (sql) => void db.exec(sql),
    rollBack() {
      if (db.inTransaction) db.exec('ROLLBACK')
    },
    close: () => void db.close(),
  }
}

function betterStatement(statement: Sqlite.Statement): Statement {
  return {
    get: (...parameters) => statement.get(...parameters),
    all: (...parameters) => statement.all(...parameters),
    iterate: (...parameters) => statement.iterate(...parameters),
    run: (...parameters) => statement.run(...parameters),
    rows(...parameters) {
      statement.raw(true)
      try {
        return statement.all(...parameters) as unknown[][]
      } finally {
        statement.raw(false)
      }
    },
  }
}

/** What is used of `DatabaseSync` of `node:sqlite`. */
interface NodeDatabase {
  readonly isTransaction: boolean
  prepare(sql: string): NodeStatement
  exec(sql: string): void
  close(): void
}

/** What is used of its `StatementSync`. */
interface NodeStatement {
  get(...parameters: unknown[]): Row | undefined
  all(...parameters: unknown[]): Row[]
  iterate(...parameters: unknown[]): Iterable<Row>
  run(...parameters: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }
  /** Node 22.16 and later have it. */
  setReturnArrays(enabled: boolean): void
}

type Row = Record<string, unknown>

function nodeConnection(db: NodeDatabase): Connection {
  let isOpen = true
  const { version } = db.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return {
    engine: 'node:sqlite',
    get isOpen() {
      return isOpen
    },
    countsPages: major > 3 || minor >= 51,
    prepare: (sql) => nodeStatement(db.prepare(sql)),
    exec: (sql) => db.exec(sql),
    rollBack() {
      if (db.isTransaction) db.exec('ROLLBACK')
    },
    close() {
      isOpen = false
      db.close()
    },
  }
}

function nodeStatement(statement: NodeStatement): Statement {
  return {
    get(...parameters) {
      const row = statement.get(...parameters.map(bound))
      return row && withBuffers(row)
    },
    all: (...parameters) => statement.all(...parameters.map(bound)).map(withBuffers),
    // An object would have only one of two columns with the same name, and those with numbers for names first.
    rows(...parameters) {
      statement.setReturnArrays(true)
      try {
        const rows: unknown[] = statement.all(...parameters.map(bound))
        return (rows as unknown[][]).map((row) => row.map(withBuffer))
      } finally {
        statement.setReturnArrays(false)
      }
    },
    *iterate(...parameters) {
      for (const row of statement.iterate(...parameters.map(bound))) yield withBuffers(row)
    },
    run(...parameters) {
      const { changes, lastInsertRowid } = statement.run(...parameters.map(bound))
      return { changes: Number(changes), lastInsertRowid }
    },
  }
}

/** Whole numbers are bound as such, and not as floating-point ones. */
function bound(value: SqlValue): SqlValue {
  if (Number.isSafeInteger(value)) return BigInt(value as number)
  // Node 22 takes a view of an empty ArrayBuffer for NULL.
  return value instanceof Uint8Array && value.byteLength === 0 ? new Uint8Array(0) : value
}

function withBuffers(row: Row): Row {
  const converted: Row = {}
  for (const [name, value] of Object.entries(row)) converted[name] = withBuffer(value)
  return converted
}

const withBuffer = (value: unknown) =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
