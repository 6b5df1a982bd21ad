import type { AbortOptions } from '@nsbox/core/content'
import type { Chain, DiskUsage, ObjectReader, StoredObject } from '@nsbox/core/disk'

/** What keeps an object. */
export interface Explanation {
  readonly object: StoredObject
  /** As `why` of `@nsbox/core/disk` tells them. Without any, the next collection removes the object. */
  readonly chains: readonly Chain[]
}

/** What is known of a digest, a chain id or another key. */
export interface Explanations {
  /** Of the namespace's objects with that key: one of each kind and snapshotter at most. */
  readonly found: readonly Explanation[]
  /** Other namespaces that have an object with that key. */
  readonly elsewhere: readonly string[]
}

/** What to remove. */
export interface PruneOptions extends AbortOptions {
  /** Whether nothing is removed, and what would be is returned; false by default. */
  readonly dryRun?: boolean | undefined
  /** Which images may be removed (docs/behaviour.md §2); all that no container is of by default. */
  readonly filters?: readonly string[] | undefined
}

/** What was removed. */
export interface Pruned {
  /** Names of images. */
  readonly images: readonly string[]
  /** What only they kept, and what nothing kept before. */
  readonly collected: readonly StoredObject[]
  /** Bytes that this frees: those of all collected objects that no other object has, in any namespace. */
  readonly freed: number
}

/** What holds the disk of a server. containerd answers `unimplemented` to all but `collect`. */
export interface Disk extends ObjectReader {
  /** What the objects of all namespaces that the client may see take. */
  usage(options?: AbortOptions): Promise<DiskUsage>

  /**
   * What keeps an object of the namespace.
   * @param id a digest, a chain id, the name of an image, the key of a snapshot, the id of a container or a lease, a
   * ref
   */
  why(id: string, options?: AbortOptions): Promise<Explanations>

  /**
   * Removes the images of the namespace that no container is of, and waits until all that nothing keeps is collected.
   * @throws `invalid_argument` for a filter that does not parse
   */
  prune(options?: PruneOptions): Promise<Pruned>

  /** Waits for a collection that begins after the call. */
  collect(options?: AbortOptions): Promise<void>
}
