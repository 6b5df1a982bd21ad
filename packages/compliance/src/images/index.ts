import { describe } from 'vitest'
import { fullClaims, type ImageStoreClaims } from './claims.ts'
import { creatingTests } from './creating.ts'
import { deletingTests } from './deleting.ts'
import { findingTests } from './finding.ts'
import type { CreateImageStore } from './subject.ts'
import { updatingTests } from './updating.ts'

export type { ImageStoreClaims } from './claims.ts'
export type { CreateImageStore } from './subject.ts'

/**
 * Declares, for vitest, the tests of everything that an image store promises.
 *
 * @param name says which store it is, in the tests' names
 * @param create makes an empty store for each test
 * @param claims where the store differs from the interface; none by default
 */
export function imageStoreSuite(
  name: string,
  create: CreateImageStore,
  claims: Partial<ImageStoreClaims> = {},
): void {
  const claimed = { ...fullClaims, ...claims }
  describe(`image store: ${name}`, () => {
    creatingTests(create, claimed)
    findingTests(create)
    updatingTests(create, claimed)
    deletingTests(create)
  })
}
