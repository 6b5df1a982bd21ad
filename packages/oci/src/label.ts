/** The labels of containerd's clients that nsbox reads or writes (docs/behaviour.md §4). */
export const labelKeys = {
  /** On a compressed layer: the digest of its uncompressed bytes. */
  uncompressed: 'containerd.io/uncompressed',
  /** Keeps an object from collection. */
  gcRoot: 'containerd.io/gc.root',
  /** RFC 3339; the object no longer counts as a root after that time. */
  gcExpire: 'containerd.io/gc.expire',
  /** On a lease: it holds only its resources, not what they refer to. */
  gcFlat: 'containerd.io/gc.flat',
  /** Reference to a blob; a suffix after `.` or `/` makes the key unique. */
  gcRefContent: 'containerd.io/gc.ref.content',
  /** Reference to a snapshot; `.<snapshotter>` follows, and may be followed by `/<suffix>`. */
  gcRefSnapshot: 'containerd.io/gc.ref.snapshot',
  gcRefImage: 'containerd.io/gc.ref.image',
  /** At `Prepare`: the chain id for the snapshot's commit. */
  snapshotRef: 'containerd.io/snapshot.ref',
  /** On a namespace: the default snapshotter. */
  defaultSnapshotter: 'containerd.io/defaults/snapshotter',
  /** On a namespace: other namespaces may share its blobs even under the policy `isolated`. */
  namespaceShareable: 'containerd.io/namespace.shareable',
} as const
