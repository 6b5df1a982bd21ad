/**
 * What a snapshotter promises beyond or short of the interface, as plain data. A difference is declared here and its
 * tests are then skipped by name; the suite never asks which snapshotter it has.
 */
export interface SnapshotterClaims {
  /** `commit` takes a parent that `prepare` was not given. */
  readonly parentAtCommit: boolean
  /** What a snapshot takes on the disk does not include what its parent has. */
  readonly usageWithoutParent: boolean
  /** Keys that are overlong or no text, and 20,000 labels, are refused with `invalid_argument`. */
  readonly limits: boolean
}

/** The interface, fully kept. */
export const fullClaims: SnapshotterClaims = {
  parentAtCommit: true,
  usageWithoutParent: true,
  limits: true,
}
