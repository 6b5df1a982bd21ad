/**
 * Where a snapshotter differs from the interface, as plain data. The tests of a declared difference are skipped by
 * name; the suite never asks which snapshotter it has.
 */
export interface SnapshotterClaims {
  /** `commit` takes a parent that `prepare` was not given. */
  readonly parentAtCommit: boolean
  /** The root directory of a child has the mode and time of its parent's, besides the owner. */
  readonly rootDirectory: boolean
  /** The usage of a snapshot does not include its parents. */
  readonly usageAlone: boolean
  /** A filter `parent` finds the snapshots that have one. */
  readonly parentPresence: boolean
  /** A filter that does not parse is `invalid_argument`; otherwise any error. */
  readonly filterCode: boolean
  /** Committing a snapshot that is not active is `failed_precondition`; otherwise any error. */
  readonly commitCode: boolean
  /** There is a `cleanup`. */
  readonly cleanup: boolean
  /** A 20,000th label is refused with `invalid_argument`. */
  readonly labelCountLimit: boolean
}

/** The full interface. */
export const fullClaims: SnapshotterClaims = {
  parentAtCommit: true,
  rootDirectory: true,
  usageAlone: true,
  parentPresence: true,
  filterCode: true,
  commitCode: true,
  cleanup: true,
  labelCountLimit: true,
}
