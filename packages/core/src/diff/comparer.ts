import type { AbortOptions } from '@nsbox/concurrency'
import type { Descriptor } from '@nsbox/oci'
import type { Labels } from '../labels/labels.ts'
import type { DiffMount } from './applier.ts'

/** Options of a layer to make. */
export interface CompareOptions extends AbortOptions {
  /**
   * Media type of the layer, which says how to compress it: `application/vnd.oci.image.layer.v1.tar` with `+gzip` (the
   * default), `+zstd` or nothing after it, or Docker's names of the first and the last.
   */
  readonly mediaType?: string | undefined
  /** The ref of the ingest that the layer is written to; made up by default. */
  readonly ref?: string | undefined
  /** Labels of the blob, besides `containerd.io/uncompressed`, which tells the diff id of a compressed one. */
  readonly labels?: Labels | undefined
  /** Latest time in the layer; later ones become this one. No limit by default. */
  readonly sourceDateEpoch?: Date | undefined
}

/** Makes layers of the differences between trees. */
export interface Comparer {
  /**
   * Stores, as a blob, the layer that turns the lower tree into the upper one. The same two trees give the same bytes.
   * Neither may change meanwhile.
   *
   * @param lower the snapshotter's mounts of the original tree; none for an empty tree
   * @param upper those of the changed tree, usually of an active snapshot on top of the other; at least one
   * @returns the layer's descriptor; if there is such a blob already, it has the labels too
   * @throws `unimplemented` for a media type that it cannot make; `invalid_argument` for no upper mounts;
   * `failed_precondition` for a tree that no layer can carry; `aborted` if a file changes meanwhile; the errors of
   * mounts and of the content store
   */
  compare(
    lower: readonly DiffMount[],
    upper: readonly DiffMount[],
    options?: CompareOptions,
  ): Promise<Descriptor>
}
