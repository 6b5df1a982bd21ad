export type { Database, Reader, SqlValue, Transaction } from './database.ts'
export type { Migration } from './migrations.ts'
export { type DatabaseOptions, openDatabase } from './open-database.ts'
