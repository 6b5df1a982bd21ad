import { describe } from 'vitest'
import { changingTests } from './changing.ts'
import { fullClaims, type NamespaceStoreClaims } from './claims.ts'
import { creatingTests } from './creating.ts'
import { deletingTests } from './deleting.ts'
import type { CreateNamespaceStore } from './subject.ts'

export type { NamespaceStoreClaims } from './claims.ts'
export type { CreateNamespaceStore, NamespaceStoreSubject } from './subject.ts'

/**
 * Declares, for vitest, the tests of everything that a namespace store promises.
 *
 * @param name says which store it is, in the tests' names
 * @param create makes a store for each test
 * @param claims where the store differs from the interface; none by default
 */
export function namespaceStoreSuite(
  name: string,
  create: CreateNamespaceStore,
  claims: Partial<NamespaceStoreClaims> = {},
): void {
  const claimed = { ...fullClaims, ...claims }
  describe(`namespace store: ${name}`, () => {
    creatingTests(create, claimed)
    changingTests(create, claimed)
    deletingTests(create)
  })
}
