/**
 * What a snapshotter promises beyond or short of the interface, as plain data. A difference is declared here and its
 * tests are then skipped by name; the suite never asks which snapshotter it has.
 */
export interface SnapshotterClaims {
  /** `commit` takes a parent that `prepare` was not given. */
  readonly parentAtCommit: boolean
  /** The root directory of a child has mode and time of its parent's, besides the owner. */
  readonly rootDirectory: boolean
  /** Usage is that of the snapshot without its parents. */
  readonly usageAlone: boolean
  /** A filter `parent` finds the snapshots that have one. */
  readonly parentPresence: boolean
  /** A filter that does not parse is `invalid_argument`; otherwise it is an error of some kind. */
  readonly filterCode: boolean
  /** Committing what is not active is `failed_precondition`; otherwise it is an error of some kind. */
  readonly commitCode: boolean
  /** There is a `cleanup`. */
  readonly cleanup: boolean
  /** A 20,000th label is refused with `invalid_argument`. */
  readonly labelCountLimit: boolean
}

/** The interface, fully kept. */
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
