import type { Transaction } from '@nsbox/sqlite'

/** A namespace is created when something is stored in it. */
export function ensureNamespace(tx: Transaction, name: string): void {
  tx.run("INSERT OR IGNORE INTO namespace (name, labels) VALUES (?, '{}')", name)
}
