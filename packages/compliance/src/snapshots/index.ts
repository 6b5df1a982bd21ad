import { describe } from 'vitest'
import { badInputTests } from './bad-input.ts'
import { fullClaims, type SnapshotterClaims } from './claims.ts'
import { depthTests } from './depth.ts'
import { fileTests } from './files.ts'
import { lifecycleTests } from './lifecycle.ts'
import { managingTests } from './managing.ts'
import { parentAtCommitTests } from './parent-at-commit.ts'
import { removingTests } from './removing.ts'
import type { CreateSnapshotter } from './subject.ts'
import { viewTests } from './views.ts'

export type { SnapshotterClaims } from './claims.ts'
export type { CreateSnapshotter, SnapshotterSubject, WithMounts } from './subject.ts'

/**
 * Declares, for vitest, the tests of everything that a snapshotter promises. They need root, or root in a user
 * namespace, to mount and to change owners.
 *
 * @param name says which snapshotter it is, in the tests' names
 * @param create makes a snapshotter for each test, with a function that mounts its snapshots
 * @param claims where the snapshotter differs from the interface; none by default
 */
export function snapshotterSuite(
  name: string,
  create: CreateSnapshotter,
  claims: Partial<SnapshotterClaims> = {},
): void {
  const claimed = { ...fullClaims, ...claims }
  describe(`snapshotter: ${name}`, () => {
    lifecycleTests(create, claimed)
    viewTests(create)
    fileTests(create, claimed)
    depthTests(create)
    managingTests(create, claimed)
    removingTests(create, claimed)
    parentAtCommitTests(create, claimed)
    badInputTests(create, claimed)
  })
}
