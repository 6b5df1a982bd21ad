import { maxNameBytes } from '@nsbox/core/names'
import { digestOf } from '@nsbox/oci'
import type { Reader, Transaction } from '@nsbox/sqlite'
import type { BackingRef } from '../database/unused.ts'

/** What a snapshot's key in the backend is made of. */
interface BackingName {
  readonly namespace: string
  readonly name: string
  /** In a snapshotter that others may use too, what tells the keys of this server from theirs. */
  readonly mark: string | undefined
}

/**
 * The key of a snapshot in the backend (docs/behaviour.md §3). The number makes it unique when the same name is used
 * again, so that removing an old snapshot never affects a new one. Long keys are hashed.
 */
export function backingKey(id: number, { namespace, name, mark }: BackingName): string {
  const prefix = `${namespace}/${mark === undefined ? id : `${id}-${mark}`}`
  const key = `${prefix}/${name}`
  return Buffer.byteLength(key) > maxNameBytes ? `${prefix}/${digestOf(name)}` : key
}

/** Reserves a number and a key for a snapshot that is about to be made. */
export function reserveBacking(
  tx: Transaction,
  { snapshotter, ...name }: BackingName & { readonly snapshotter: string },
): { readonly id: number; readonly key: string } {
  const { id } = tx.run(
    "INSERT INTO backing (snapshotter, key, provenance, late) VALUES (?, '', 'private', 0)",
    snapshotter,
  )
  const key = backingKey(id, name)
  tx.run('UPDATE backing SET key = ? WHERE id = ?', key, id)
  return { id, key }
}

/** Whether the snapshotter's snapshot belongs to a namespace, or will. */
export function isBacking(db: Reader, { snapshotter, key }: BackingRef): boolean {
  return db.get('SELECT 1 FROM backing WHERE snapshotter = ? AND key = ?', snapshotter, key) !== undefined
}

export function dropBacking(tx: Transaction, id: number): void {
  tx.run('DELETE FROM backing WHERE id = ?', id)
}
