import { NsboxError } from '@nsbox/errors'
import type Sqlite from 'better-sqlite3'

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
 * @internal
 */
export function migrate(db: Sqlite.Database, migrations: readonly Migration[], path: string): void {
  migrations.forEach(({ version }, index) => {
    if (version !== index + 1) throw new TypeError(`migration ${version} at place ${index + 1}`)
  })
  const current = db.pragma('user_version', { simple: true }) as number
  if (current > migrations.length) {
    throw new NsboxError(
      'failed_precondition',
      `database ${path} has schema version ${current}, this program knows versions up to ` +
        `${migrations.length}: use a newer program`,
      { details: { found: current, known: migrations.length } },
    )
  }
  for (const { version, sql } of migrations.slice(current)) {
    db.transaction(() => {
      db.exec(sql)
      db.pragma(`user_version = ${version}`)
    }).immediate()
  }
}
