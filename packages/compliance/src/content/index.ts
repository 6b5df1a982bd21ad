import { describe } from 'vitest'
import { badInputTests } from './bad-input.ts'
import { cancellingTests } from './cancelling.ts'
import { type ContentStoreClaims, fullClaims } from './claims.ts'
import { committingTests } from './committing.ts'
import { ingestTests } from './ingests.ts'
import { localPathTests } from './local-paths.ts'
import { managingTests } from './managing.ts'
import { readingTests } from './reading.ts'
import { resumingTests } from './resuming.ts'
import type { CreateContentStore } from './subject.ts'
import { writingTests } from './writing.ts'

export type { ContentStoreClaims } from './claims.ts'
export type { CreateContentStore } from './subject.ts'

/**
 * Declares, for vitest, the tests of everything that a content store promises.
 *
 * @param name says which store it is, in the tests' names
 * @param create makes an empty store for each test
 * @param claims where the store differs from the interface; none by default
 */
export function contentStoreSuite(
  name: string,
  create: CreateContentStore,
  claims: Partial<ContentStoreClaims> = {},
): void {
  const claimed = { ...fullClaims, ...claims }
  describe(`content store: ${name}`, () => {
    writingTests(create, claimed)
    resumingTests(create, claimed)
    committingTests(create, claimed)
    readingTests(create)
    ingestTests(create, claimed)
    managingTests(create)
    localPathTests(create, claimed)
    badInputTests(create, claimed)
    cancellingTests(create)
  })
}
