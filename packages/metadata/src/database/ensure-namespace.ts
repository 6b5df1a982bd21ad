import type { Transaction } from '@nsbox/sqlite'

/** Namespaces come into being as a side effect of storing something in them. */
export function ensureNamespace(tx: Transaction, name: string): void {
  tx.run("INSERT OR IGNORE INTO namespace (name, labels) VALUES (?, '{}')", name)
}
