import type { ErrorCode } from '@nsbox/errors'

/**
 * Where a store differs from the interface, as plain data. The test of a declared difference is skipped by name, or
 * checks what is declared; the suite never asks which store it has.
 */
export interface ContentStoreClaims {
  /** Blobs may have sha512 digests. */
  readonly sha512: boolean
  /** The code of opening an ingest again with another total; undefined if the store takes the other total. */
  readonly totalMismatch: ErrorCode | undefined
  /** An ingest's status repeats the digest that it was opened with. */
  readonly expectedInStatus: boolean
  /** If an ingest is discarded, its writer's next call fails with `aborted`, and its ref is free at once. */
  readonly abortEndsWriters: boolean
  /** Refs of 64 KiB, and refs that have no UTF-8 form, are refused with `invalid_argument`. */
  readonly refLimits: boolean
  /** 20,000 labels of one blob are refused with `invalid_argument`. */
  readonly labelCountLimit: boolean
  /** Blobs and ingests are files of this host, whose paths can be asked for (`LocalPaths`). */
  readonly localPaths: boolean
}

/** The full interface, and nothing beyond it. */
export const fullClaims: ContentStoreClaims = {
  sha512: true,
  totalMismatch: 'failed_precondition',
  expectedInStatus: true,
  abortEndsWriters: true,
  refLimits: true,
  labelCountLimit: true,
  localPaths: false,
}
