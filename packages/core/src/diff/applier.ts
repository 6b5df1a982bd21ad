import type { AbortOptions } from '@nsbox/concurrency'
import type { Descriptor, Digest } from '@nsbox/oci'

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
   * lower layer has its attributes. The root, if nothing describes it and it was empty, is the empty path.
   *
   * Always empty from an applier of another process: the API has no place for them, so it sees to these attributes
   * itself, and must be given the mounts of a snapshot that was prepared on its parent.
   */
  readonly implied: readonly string[]
}

/** A layer whose blob is being downloaded; plain data, so that a thread can be given it. */
export interface ArrivingLayer {
  /** The file that its bytes are written to, in order from the first. */
  readonly path: string
  /**
   * Tells how far the file has got, whether it was begun again, and how it ended. Whoever downloads it says that it is
   * complete only once the blob's digest has been verified.
   */
  readonly growing: { readonly shared: SharedArrayBuffer; readonly generation: number }
}

/** How to apply a layer. */
export interface ApplyLayerOptions {
  /** The diff id that the layer must have; not checked by default. */
  readonly diffId?: Digest | undefined
  /**
   * Where the bytes arrive, if there is no blob yet. The call settles only after the download has ended. Only an
   * applier of the same process can follow it; others throw `unimplemented`.
   */
  readonly arriving?: ArrivingLayer | undefined
}

/** Puts layers into snapshots. */
export interface Applier {
  /**
   * Applies a layer to an active snapshot, which nobody else changes meanwhile: its entries, and the removal of what it
   * says is gone, in the form that the snapshot needs. After a failure the snapshot holds part of the layer and must be
   * removed; nothing outside of it is touched. Once the call has settled nothing is written any more.
   *
   * @param layer a layer's descriptor; its size must be the blob's. Where its media type names another compression than
   * the bytes have, the bytes are right
   * @param mounts what the snapshotter said for the snapshot; or an overlay of nothing but `upperdir`, and `userxattr` if
   * removals are said in attributes of users, for the layer directory of a snapshot that learns of its parents at commit
   * @throws `not_found` if there is no such blob; `unimplemented` for mounts of a kind that it cannot apply to, or a
   * media type that is no layer's, or of one that is encrypted or compressed in a way it does not know; `failed_precondition` for a snapshot that cannot be written, a wrong
   * diff id, or names that the file system takes for one; `invalid_argument` for what no layer may hold;
   * `resource_exhausted` beyond a limit or on a full disk; `data_loss` for a damaged layer or one of the wrong size;
   * `aborted` if an arriving layer is begun again or fails to arrive
   */
  apply(
    layer: Descriptor,
    mounts: readonly DiffMount[],
    options?: ApplyLayerOptions & AbortOptions,
  ): Promise<AppliedLayer>
}
