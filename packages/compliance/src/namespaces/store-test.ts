import { randomUUID } from 'node:crypto'
import { type ErrorCode, errorCode } from '@nsbox/errors'
import type { NamespaceStore } from '@nsbox/namespaces'
import { expect, type TestFunction, test } from 'vitest'

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

/** Declares a test on a store of its own. */
export type StoreTest = (name: string, body: (subject: NamespaceStoreSubject) => Promise<void>) => void

/** @param claimed whether the store promises what is tested; if not, the tests are listed as skipped */
export function storeTest(create: CreateNamespaceStore, claimed = true): StoreTest {
  return (name, body) => {
    const run: TestFunction = async () => {
      await using subject = await create()
      await body(subject)
    }
    if (claimed) test(name, run)
    else test.skip(`${name} (not claimed)`, run)
  }
}

/** A name that no other test uses. */
export function newName(): string {
  return `test-${randomUUID()}`
}

export async function expectCode(operation: Promise<unknown>, code: ErrorCode): Promise<void> {
  const outcome = await operation.then(() => 'success', errorCode)
  expect(outcome).toBe(code)
}
