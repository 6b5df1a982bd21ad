import { randomUUID } from 'node:crypto'
import type { NamespaceStore } from '@nsbox/namespaces'

/** A store, and a way to put something into namespaces. */
export interface NamespaceStoreSubject extends AsyncDisposable {
  readonly store: NamespaceStore
  /** Stores an image in a namespace, which need not exist. */
  fill(namespace: string): Promise<void>
  /** Removes it again. */
  empty(namespace: string): Promise<void>
}

/** Makes a store, which may have other namespaces than the test's, and takes it away when it is disposed of. */
export type CreateNamespaceStore = () => Promise<NamespaceStoreSubject>

/** A name that no other test uses. */
export function newName(): string {
  return `test-${randomUUID()}`
}
