export type { SqlValue } from './connection.ts'
export type { Database, Reader, Transaction } from './database.ts'
export type { Migration } from './migrations.ts'
export { type DatabaseOptions, openDatabase } from './open-database.ts'
