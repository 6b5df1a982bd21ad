import { describe } from 'vitest'
import { applyingTests } from './applying.ts'
import { type DifferClaims, fullClaims } from './claims.ts'
import { comparingTests } from './comparing.ts'
import { storingTests } from './storing.ts'
import type { CreateDiffer } from './subject.ts'

export type { DifferClaims } from './claims.ts'
export type { CreateDiffer, DifferSubject } from './subject.ts'

/**
 * Declares, for vitest, the tests of everything that an applier and a comparer promise. They need root to mount and to
 * change owners.
 *
 * @param name says which they are, in the tests' names
 * @param create makes them for each test, with a store, a snapshotter, and a function that mounts its snapshots
 * @param claims where they differ from the interfaces; none by default
 */
export function differSuite(name: string, create: CreateDiffer, claims: Partial<DifferClaims> = {}): void {
  const claimed = { ...fullClaims, ...claims }
  describe(`differ: ${name}`, () => {
    comparingTests(create, claimed)
    storingTests(create, claimed)
    applyingTests(create, claimed)
  })
}
