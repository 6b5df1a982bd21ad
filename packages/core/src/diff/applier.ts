import type { AbortOptions } from '@nsbox/concurrency'
import type { Descriptor, Digest } from '@nsbox/oci'

/** The fields of a mount that a differ uses; `containerd.types.Mount` has the same. */
export interface DiffMount {
  /** The type of the file system; `bind` for a bind mount. */
  readonly type: string
  readonly source: string
  /** One option each, such as `rw` or `upperdir=/…`. */
  readonly options: readonly string[]
}

/** The result of applying a layer. */
export interface AppliedLayer {
  /** Digest of the layer's archive after decompression: its diff id. */
  readonly diffId: Digest
  /** Bytes of the archive after decompression. */
  readonly size: number
  /**
   * Directories that the layer has no entries for but whose names it implies, parents first and relative to the root,
   * with one character per byte. They have mode 0755 and belong to root; whoever commits the snapshot has to give them
   * the attributes of the lower layer, if that has them. The root, if it was empty and no entry describes it, is the
   * empty path.
   *
   * Always empty from a remote applier, since the API cannot return them. It sets these attributes itself, so its
   * snapshot must have been prepared with its parent.
   */
  readonly implied: readonly string[]
}

/** A layer whose blob is being downloaded. Plain data, to be sent to a thread. */
export interface ArrivingLayer {
  /** The file that its bytes are written to, in order from the first. */
  readonly path: string
  /**
   * Tells how far the download is, whether it was started again, and how it ended. It is complete only once the blob's
   * digest has been verified.
   */
  readonly growing: { readonly shared: SharedArrayBuffer; readonly generation: number }
}

/** How to apply a layer. */
export interface ApplyLayerOptions {
  /** The diff id that the layer must have; not checked by default. */
  readonly diffId?: Digest | undefined
  /**
   * The download, if there is no blob yet. The call settles only after the download has ended. Only an applier of the
   * same process can follow it; others throw `unimplemented`.
   */
  readonly arriving?: ArrivingLayer | undefined
}

/** Applies layers to snapshots. */
export interface Applier {
  /**
   * Applies a layer to an active snapshot, which nobody else may change meanwhile: its entries and its whiteouts, in
   * the form that the snapshotter needs. After a failure the snapshot holds part of the layer and must be removed;
   * nothing outside of it is touched. Nothing is written after the call has settled.
   *
   * @param layer a layer's descriptor; its size must be the blob's. If its media type names another compression than
   * the bytes have, the bytes count
   * @param mounts the snapshotter's mounts of the snapshot. For the layer directory of a snapshot that gets its parents
   * at commit: an overlay with `upperdir` only, and `userxattr` if whiteouts use `user.` attributes
   * @throws `not_found` if there is no such blob; `unimplemented` for mounts of a kind that it cannot apply to, or a
   * media type that is no layer's, or of one that is encrypted or compressed in a way it does not know;
   * `failed_precondition` for a snapshot that cannot be written, a wrong diff id, or names that the file system takes
   * for one; `invalid_argument` for what no layer may hold; `resource_exhausted` beyond a limit or on a full disk;
   * `data_loss` for a damaged layer or one of the wrong size; `aborted` if a download is started again or fails
   */
  apply(
    layer: Descriptor,
    mounts: readonly DiffMount[],
    options?: ApplyLayerOptions & AbortOptions,
  ): Promise<AppliedLayer>
}
