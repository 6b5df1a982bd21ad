import { NsboxError } from '@nsbox/errors'
import type { Connection } from './connection.ts'

/** One step of a schema: SQL that takes the schema from `version - 1` to `version`. */
export interface Migration {
  readonly version: number
  readonly sql: string
}

/**
 * Brings the schema up to date, each step in its own transaction together with the version that it leads to. The
 * version is SQLite's own `user_version`.
 *
 * @param migrations all steps ever, numbered 1, 2, 3 …
 * @throws `failed_precondition` if the database was made by a newer program than this one
 */
export function migrate(db: Connection, migrations: readonly Migration[], path: string): void {
  migrations.forEach(({ version }, index) => {
    if (version !== index + 1) throw new TypeError(`migration ${version} at place ${index + 1}`)
  })
  const { user_version: current } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (current > migrations.length) {
    throw new NsboxError(
      'failed_precondition',
      `database ${path} has schema version ${current}, this program knows versions up to ` +
        `${migrations.length}: use a newer program`,
      { details: { found: current, known: migrations.length } },
    )
  }
  for (const { version, sql } of migrations.slice(current)) {
    db.exec('BEGIN IMMEDIATE')
    try {
      db.exec(`${sql}\n;\nPRAGMA user_version = ${version};\nCOMMIT`)
    } catch (error) {
      db.rollBack()
      throw error
    }
  }
}
