import { describe } from 'vitest'
import { fullClaims, type LeaseStoreClaims } from './claims.ts'
import { holdingTests } from './holding.ts'
import { managingTests } from './managing.ts'
import type { CreateLeaseStore } from './subject.ts'

export type { LeaseStoreClaims } from './claims.ts'
export type { CreateLeaseStore } from './subject.ts'

/**
 * Declares, for vitest, the tests of everything that a lease store promises by itself. Whether held resources are kept
 * is tested with the collector.
 *
 * @param name says which store it is, in the tests' names
 * @param create makes an empty store for each test
 * @param claims where the store differs from the interface; none by default
 */
export function leaseStoreSuite(
  name: string,
  create: CreateLeaseStore,
  claims: Partial<LeaseStoreClaims> = {},
): void {
  const claimed = { ...fullClaims, ...claims }
  describe(`lease store: ${name}`, () => {
    managingTests(create, claimed)
    holdingTests(create)
  })
}
