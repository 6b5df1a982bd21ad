import { NsboxError } from '@nsbox/errors'
import type { Checkpointer } from './checkpointer.ts'
import type { Connection, SqlValue, Statement } from './connection.ts'
import type { GroupSync } from './group-sync.ts'
import { fromSqliteError, isFailedSync, resultOf } from './sqlite-error.ts'

/** Reads. Statements are cached by their text, so texts must be constants, and values parameters. */
export interface Reader {
  /** The first row, or undefined. */
  get<Row>(sql: string, ...parameters: SqlValue[]): Row | undefined
  all<Row>(sql: string, ...parameters: SqlValue[]): Row[]
  /** The first rows, up to the one for which `enough` is true. */
  upTo<Row>(sql: string, enough: (row: Row) => boolean, ...parameters: SqlValue[]): Row[]
  /**
   * All rows as arrays of their columns, which is faster than objects for many small rows. The columns need names that
   * differ and are no numbers.
   */
  rows<Row extends readonly unknown[]>(sql: string, ...parameters: SqlValue[]): Row[]
}

/** Reads and writes, within one transaction. */
export interface Transaction extends Reader {
  /** Runs a statement that changes something and returns no rows. */
  run(sql: string, ...parameters: SqlValue[]): { readonly changes: number; readonly id: number }
}

/** Options of a database. */
export interface DatabaseParts {
  readonly path: string
  readonly sync: GroupSync
  readonly checkpointer: Checkpointer
  /** Pages of the log from which a checkpoint runs after a moment without a commit; at twice as many, at once. */
  readonly checkpointPages: number
  /** Releases what the parts hold, after the last transaction and before the connection closes. */
  readonly close: () => Promise<void>
  readonly onCheckpointError: (error: unknown) => void
}

/** Pages that a transaction writes to the log, roughly. */
const pagesPerWrite = 4

/** Number of writing transactions between two checks of the log's size. */
const lookEvery = 16

/**
 * Milliseconds without a commit before a checkpoint that can wait. It takes as much processor time as some hundred
 * transactions, which would be slower meanwhile.
 */
const quietTime = 200

/**
 * A SQLite database in WAL mode. Reads and transactions are synchronous and see each other's result at once; `durable`
 * resolves when they are on disk. Wait for it before passing on what was read or written.
 *
 * Every call throws coded errors where a caller can act: `resource_exhausted` for a full disk, `data_loss` for a
 * damaged file or failing disk, `unavailable` for a lock that was not free in time.
 */
export class Database implements Reader, AsyncDisposable {
  readonly #db: Connection
  readonly #parts: DatabaseParts
  readonly #statements = new Map<string, Statement>()
  readonly #transaction: Transaction
  #inTransaction = false
  #changed = false
  #writes = 0
  /** How many of them are in the database file at least. */
  #copiedWrites = 0
  /** Set while a checkpoint waits for a quiet moment. */
  #quiet: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(db: Connection, parts: DatabaseParts) {
    this.#db = db
    this.#parts = parts
    this.#transaction = {
      get: (sql, ...parameters) => this.get(sql, ...parameters),
      all: (sql, ...parameters) => this.all(sql, ...parameters),
      upTo: (sql, enough, ...parameters) => this.upTo(sql, enough, ...parameters),
      rows: (sql, ...parameters) => this.rows(sql, ...parameters),
      run: (sql, ...parameters) => this.#run(sql, parameters),
    }
  }

  get<Row>(sql: string, ...parameters: SqlValue[]): Row | undefined {
    return this.#coded(() => this.#prepare(sql).get(...parameters) as Row | undefined)
  }

  all<Row>(sql: string, ...parameters: SqlValue[]): Row[] {
    return this.#coded(() => this.#prepare(sql).all(...parameters) as Row[])
  }

  upTo<Row>(sql: string, enough: (row: Row) => boolean, ...parameters: SqlValue[]): Row[] {
    return this.#coded(() => {
      const rows: Row[] = []
      for (const row of this.#prepare(sql).iterate(...parameters) as Iterable<Row>) {
        rows.push(row)
        if (enough(row)) break
      }
      return rows
    })
  }

  rows<Row extends readonly unknown[]>(sql: string, ...parameters: SqlValue[]): Row[] {
    return this.#coded(() => this.#prepare(sql).rows(...parameters) as readonly unknown[] as Row[])
  }

  /**
   * Runs `body` in a transaction: all of its changes happen, or none if it throws. The body is synchronous. There is no
   * other way to change anything, and transactions do not nest.
   */
  transaction<T>(body: (transaction: Transaction) => T): T {
    if (this.#inTransaction) throw new TypeError('transactions do not nest')
    if (this.#closing !== undefined) throw this.#closed()
    this.#inTransaction = true
    this.#changed = false
    try {
      this.#coded(() => this.#prepare('BEGIN IMMEDIATE').run())
      const result = body(this.#transaction)
      if (result instanceof Promise) throw new TypeError('the body of a transaction is synchronous')
      this.#coded(() => this.#prepare('COMMIT').run())
      if (this.#changed) this.#committed()
      return result
    } finally {
      this.#inTransaction = false
      // After some errors, such as a full disk, SQLite has already rolled back.
      this.#db.rollBack()
    }
  }

  /**
   * Resolves once everything committed before the call is on disk; at once if nothing is waiting to be.
   * @throws `data_loss` after a sync has failed
   */
  durable(): Promise<void> {
    return this.#parts.sync.durable()
  }

  /** Copies the log into the database file in the background, and resolves when it is done. */
  async checkpoint(): Promise<void> {
    this.#cancelQuiet()
    const writes = this.#writes
    await this.#parts.checkpointer.run()
    this.#copiedWrites = writes
    if (this.#closing !== undefined) return
    // The log restarts only when all of it has been copied, which would never be while commits do not pause. The few
    // pages of the last pass are copied here, synchronously.
    const { log, checkpointed } = this.#log()
    if (checkpointed < log && log > 4 * this.#parts.checkpointPages) {
      this.#coded(() => this.#prepare('PRAGMA wal_checkpoint(PASSIVE)').get())
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    this.#cancelQuiet()
    try {
      await this.durable()
    } finally {
      try {
        await this.#parts.close()
      } finally {
        this.#db.close()
      }
    }
  }

  #run(sql: string, parameters: SqlValue[]): { changes: number; id: number } {
    if (!this.#inTransaction) throw new TypeError('a transaction was used after its end')
    return this.#coded(() => {
      const { changes, lastInsertRowid } = this.#prepare(sql).run(...parameters)
      if (changes > 0) this.#changed = true
      return { changes, id: Number(lastInsertRowid) }
    })
  }

  #committed(): void {
    this.#parts.sync.committed()
    this.#quiet?.refresh()
    this.#writes++
    if (this.#writes % lookEvery !== 0 || this.#parts.checkpointer.running) return
    const { log, checkpointed } = this.#log()
    const { checkpointPages } = this.#parts
    if (log - checkpointed >= 2 * checkpointPages) this.#checkpointInBackground()
    else if (log - checkpointed >= checkpointPages)
      this.#quiet ??= setTimeout(() => this.#checkpointInBackground(), quietTime).unref()
  }

  #checkpointInBackground(): void {
    this.checkpoint().catch(this.#parts.onCheckpointError)
  }

  #cancelQuiet(): void {
    clearTimeout(this.#quiet)
    this.#quiet = undefined
  }

  /** The pages in the log, and how many of them are copied; takes about a microsecond. A guess with an older SQLite. */
  #log(): { log: number; checkpointed: number } {
    if (!this.#db.countsPages)
      return { log: (this.#writes - this.#copiedWrites) * pagesPerWrite, checkpointed: 0 }
    return this.#prepare('PRAGMA wal_checkpoint(NOOP)').get() as { log: number; checkpointed: number }
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  #closed(): NsboxError {
    return new NsboxError('unavailable', `database ${this.#parts.path} is closed`)
  }

  #coded<T>(body: () => T): T {
    if (!this.#db.isOpen) throw this.#closed()
    try {
      return body()
    } catch (error) {
      if (isFailedSync(resultOf(error))) this.#parts.sync.fail(error)
      throw fromSqliteError(error, this.#parts.path)
    }
  }
}
