import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fromSystemError, isErrno } from '@nsbox/errors'
import { Checkpointer } from './checkpointer.ts'
import { type Connection, openConnection } from './connection.ts'
import { Database } from './database.ts'
import { GroupSync } from './group-sync.ts'
import { type Migration, migrate } from './migrations.ts'
import { fromSqliteError } from './sqlite-error.ts'

/** How to open a database. */
export interface DatabaseOptions {
  /** The file; made with mode 0600 if it does not exist, its directory must. */
  readonly path: string
  /** All steps of the schema, numbered 1, 2, 3 … */
  readonly migrations: readonly Migration[]
  /**
   * `full` (the default): `durable()` waits for the disk. `relaxed`: it does not wait, so that a power cut may undo the
   * last transactions; the database stays consistent.
   */
  readonly durability?: 'full' | 'relaxed' | undefined
  /**
   * Size of the log, in pages of 4 KiB, from which on it is copied into the database once nothing is committed for a
   * moment, and at twice that size at once; 1000 by default.
   */
  readonly checkpointPages?: number | undefined
  /** Syncs a file; fdatasync by default. */
  readonly sync?: ((log: FileHandle) => Promise<void>) | undefined
  /**
   * Called when a sync has failed. By default it ends the process with SIGABRT after a line on stderr: the kernel has
   * dropped the pages it could not write, so what is read from now on may not be on disk, and another sync would
   * succeed wrongly.
   */
  readonly onFatal?: ((error: unknown) => void) | undefined
  /** Called when a checkpoint fails for a transient reason, such as a full disk; the next one tries again. */
  readonly onCheckpointError?: ((error: unknown) => void) | undefined
}

/** SQLite's own default. */
const pageSize = 4096

const defaultCheckpointPages = 1000

/** How long a connection waits for a lock, in milliseconds. */
const busyTimeout = 5000

/**
 * Opens a database and brings its schema up to date.
 *
 * Commits do not sync (`synchronous = NORMAL`); one shared asynchronous fdatasync of the log covers all that were
 * committed before it began. That is sound because SQLite restarts the log only after a checkpoint has copied all of it
 * and synced the database file, and it syncs the log's new header before the first frame after it: the only sync of a
 * commit itself, once for each restart.
 *
 * @throws `not_found` if there is no such directory; `failed_precondition` if the file was made by a newer program or
 * cannot be opened; `data_loss` if it is not a database
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { path, migrations, durability = 'full', checkpointPages = defaultCheckpointPages } = options
  createPrivate(path)
  let db: Connection | undefined
  let log: FileHandle | undefined
  try {
    db = openConnection(path, busyTimeout)
    db.exec('PRAGMA journal_mode = WAL')
    db.exec('PRAGMA synchronous = NORMAL')
    db.exec('PRAGMA foreign_keys = ON')
    db.exec('PRAGMA wal_autocheckpoint = 0')
    // After a burst, the log is truncated to this when it restarts.
    db.exec(`PRAGMA journal_size_limit = ${4 * checkpointPages * pageSize}`)
    migrate(db, migrations, path)
    // The log exists from the first transaction on, and is the same file until the connection closes.
    db.exec('BEGIN IMMEDIATE; COMMIT')
    log = await open(`${path}-wal`, 'r+')
    await reserve(log, Math.min(checkpointPages, defaultCheckpointPages) * pageSize)
    if (durability === 'full') {
      syncDirectory(dirname(path))
      await log.datasync()
    }
  } catch (error) {
    await log?.close()
    db?.close()
    throw fromSqliteError(error, path)
  }
  const file = log
  const datasync = options.sync ?? ((handle: FileHandle) => handle.datasync())
  const sync = new GroupSync(
    durability === 'full' ? () => datasync(file) : async () => undefined,
    options.onFatal ?? ((error) => abort(path, error)),
  )
  const checkpointer = new Checkpointer({
    path,
    engine: db.engine,
    timeout: busyTimeout,
    onFailedSync: (error) => sync.fail(error),
  })
  return new Database(db, {
    path,
    sync,
    checkpointer,
    checkpointPages,
    close: async () => {
      await checkpointer.close()
      await file.close()
    },
    onCheckpointError: options.onCheckpointError ?? (() => undefined),
  })
}

/**
 * Makes a new file that only its owner can read; SQLite gives the log the same mode. An existing one is not touched:
 * closing a descriptor of it would drop the locks of a connection of this process.
 */
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw fromSystemError(error, `database ${path}`)
  }
}

/**
 * Fills the log with zeros to its usual size beforehand, so that a deletion that makes room on a full disk does not
 * fail because the log cannot grow. SQLite ignores zeros after the log's end. On a disk that is full already, the log
 * stays as it is.
 */
async function reserve(log: FileHandle, size: number): Promise<void> {
  const zeros = Buffer.alloc(64 * 1024)
  try {
    for (let { size: end } = await log.stat(); end < size; ) {
      // One call, with one buffer for all of it.
      const pieces = Array<Buffer>(Math.ceil((size - end) / zeros.length)).fill(zeros)
      end += (await log.writev(pieces, end)).bytesWritten
    }
  } catch (error) {
    if (!isErrno(error, 'ENOSPC') && !isErrno(error, 'EDQUOT')) throw error
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function abort(path: string, error: unknown): void {
  writeSync(2, `fatal: the disk refused to sync ${path}: ${String(error)}\n`)
  process.abort()
}
