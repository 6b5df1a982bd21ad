import { describe } from 'vitest'
import { type ContainerStoreClaims, fullClaims } from './claims.ts'
import { creatingTests } from './creating.ts'
import { deletingTests } from './deleting.ts'
import { findingTests } from './finding.ts'
import type { CreateContainerStore } from './subject.ts'
import { updatingTests } from './updating.ts'

export type { ContainerStoreClaims } from './claims.ts'
export type { CreateContainerStore } from './subject.ts'

/**
 * Declares, for vitest, the tests of everything that a container store promises.
 *
 * @param name says which store it is, in the tests' names
 * @param create makes an empty store for each test
 * @param claims where the store differs from the interface; none by default
 */
export function containerStoreSuite(
  name: string,
  create: CreateContainerStore,
  claims: Partial<ContainerStoreClaims> = {},
): void {
  const claimed = { ...fullClaims, ...claims }
  describe(`container store: ${name}`, () => {
    creatingTests(create, claimed)
    findingTests(create)
    updatingTests(create, claimed)
    deletingTests(create)
  })
}
