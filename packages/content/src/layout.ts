import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  assertDigest,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  isDigest,
} from '@nsbox/oci'

/** The algorithms that have a directory for blobs, in the order of their names. */
export const algorithms: readonly DigestAlgorithm[] = ['sha256', 'sha512']

/** How many files are looked at together: few enough for any limit on open files. */
export const filesAtOnce = 16

/**
 * The files of a store:
 *
 *     ROOT/blobs/<algorithm>/<hex>          a blob; verified before the file gets this name
 *     ROOT/labels/<algorithm>/<hex>.json    its labels, if it has any
 *     ROOT/ingest/<sha256 of ref>/          an ingest: see ingest-directory.ts
 *
 * Input never becomes part of a path: digests are checked, refs are hashed.
 */
export interface Layout {
  readonly root: string
  readonly ingests: string
  blobs(algorithm: DigestAlgorithm): string
  labels(algorithm: DigestAlgorithm): string
  /** @throws `invalid_argument` for a malformed digest */
  blob(digest: Digest): string
  /** @throws `invalid_argument` for a malformed digest */
  labelsOf(digest: Digest): string
  ingest(ref: string): string
}

export function layoutAt(root: string): Layout {
  const ingests = join(root, 'ingest')
  const blobs = (algorithm: DigestAlgorithm) => join(root, 'blobs', algorithm)
  const labels = (algorithm: DigestAlgorithm) => join(root, 'labels', algorithm)
  return {
    root,
    ingests,
    blobs,
    labels,
    blob(digest) {
      assertDigest(digest)
      return join(blobs(digestAlgorithm(digest)), digestHex(digest))
    },
    labelsOf(digest) {
      assertDigest(digest)
      return join(labels(digestAlgorithm(digest)), `${digestHex(digest)}${labelsSuffix}`)
    },
    ingest: (ref) => join(ingests, ingestName(ref)),
  }
}

const labelsSuffix = '.json'

/** The blob that a file of labels belongs to; `undefined` for another name. */
export function labelledDigest(algorithm: DigestAlgorithm, name: string): Digest | undefined {
  const digest = `${algorithm}:${name.slice(0, -labelsSuffix.length)}`
  return name.endsWith(labelsSuffix) && isDigest(digest) ? digest : undefined
}

/** The name of a ref's directory. */
export function ingestName(ref: string): string {
  return createHash('sha256').update(ref).digest('hex')
}
