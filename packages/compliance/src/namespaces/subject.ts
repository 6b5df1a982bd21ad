import { randomUUID } from 'node:crypto'
import type { NamespaceStore } from '@nsbox/namespaces'

/** A store, and functions that put an object into a namespace and remove it. */
export interface NamespaceStoreSubject extends AsyncDisposable {
  readonly store: NamespaceStore
  /** Stores an image in a namespace, which need not exist. */
  fill(namespace: string): Promise<void>
  /** Removes it again. */
  empty(namespace: string): Promise<void>
}

/** Makes a store, which may have namespaces of others; disposing of the subject removes it. */
export type CreateNamespaceStore = () => Promise<NamespaceStoreSubject>

/** A name that no other test uses. */
export function newName(): string {
  return `test-${randomUUID()}`
}
