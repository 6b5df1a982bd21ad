import type { Descriptor, Digest } from '@nsbox/oci'
import type { AbortOptions } from '../abort-options.ts'

/** What a snapshotter says to mount, as far as a differ looks at it; `containerd.types.Mount` has the same fields. */
export interface DiffMount {
  /** The type of the file system; `bind` for a bind mount. */
  readonly type: string
  readonly source: string
  /** One option each, such as `rw` or `upperdir=/…`. */
  readonly options: readonly string[]
}

/** What applying a layer gave. */
export interface AppliedLayer {
  /** Digest of the layer's archive after decompression: its diff id. */
  readonly diffId: Digest
  /** Bytes of the archive after decompression. */
  readonly size: number
  /**
   * Directories that the layer has no entries for but whose names it implies, parents first and relative to the root,
   * with one character per byte. They have mode 0755 and belong to root; who commits the snapshot gives those that a
   * lower layer has its attributes.
   */
  readonly implied: readonly string[]
}

/** What to hold a layer to. */
export interface ApplyLayerOptions {
  /** The diff id that the layer must have; not checked by default. */
  readonly diffId?: Digest | undefined
}

/** Puts layers into snapshots. */
export interface Applier {
  /**
   * Applies a layer to an active snapshot, which nobody else changes meanwhile: its entries, and the removal of what it
   * says is gone, in the form that the snapshot needs. After a failure the snapshot holds part of the layer and must be
   * removed; nothing outside of it is touched. Once the call has settled nothing is written any more.
   *
   * @param layer a layer's descriptor; its size must be the blob's
   * @param mounts what the snapshotter said for the snapshot
   * @throws `not_found` if there is no such blob; `unimplemented` for mounts of a kind that it cannot apply to, or a
   * media type of a compression it does not know; `failed_precondition` for a snapshot that cannot be written, a wrong
   * diff id, or names that the file system takes for one; `invalid_argument` for what no layer may hold;
   * `resource_exhausted` beyond a limit or on a full disk; `data_loss` for a damaged layer or one of the wrong size
   */
  apply(
    layer: Descriptor,
    mounts: readonly DiffMount[],
    options?: ApplyLayerOptions & AbortOptions,
  ): Promise<AppliedLayer>
}
