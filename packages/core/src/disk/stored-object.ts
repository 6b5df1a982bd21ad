import type { AbortOptions } from '@nsbox/concurrency'

/** Kinds of objects that a namespace stores. */
export type ObjectKind = 'image' | 'content' | 'ingest' | 'lease' | 'container' | 'sandbox' | 'snapshot'

/** An object by its kind and its key there: a name, a digest, a ref, an id, a snapshot's key. */
export interface ObjectName {
  readonly kind: ObjectKind
  readonly id: string
  /** Of a snapshot only. */
  readonly snapshotter?: string | undefined
}

/** An object as the collector sees it (docs/behaviour.md §6), with what it takes on the disk. */
export interface StoredObject extends ObjectName {
  /**
   * Whether it stays though no object refers to it: containers and sandboxes; images, leases and ingests until they
   * expire; ingests with a writer; snapshots that are being committed; content and snapshots with the label
   * `containerd.io/gc.root`.
   */
  readonly isRoot: boolean
  /** Whether it holds only what it refers to itself, as a lease with the label `containerd.io/gc.flat` does. */
  readonly isFlat: boolean
  /** Whether it is not there, and passes on what keeps it to those whose labels `containerd.io/gc.bref` name it. */
  readonly isMissing?: boolean | undefined
  readonly expiresAt?: Date | undefined
  /** What it keeps; these need not exist. */
  readonly references: readonly ObjectName[]
  /** Key of the snapshot that it is based on, which it keeps. */
  readonly parent?: string | undefined
  /**
   * Where its bytes are, if it has any. Objects with the same storage, in any namespaces of a server, have the same
   * bytes, which are on the disk once.
   */
  readonly storage?: string | undefined
  /** Bytes of the storage; of a snapshot those that it adds to its parent. Undefined if they were not asked for. */
  readonly size?: number | undefined
}

/** What to tell of objects. */
export interface ObjectsOptions extends AbortOptions {
  /** Whether sizes are told; those of active snapshots are counted file by file. False by default. */
  readonly sizes?: boolean | undefined
}

/** The objects of a namespace. */
export interface ObjectReader {
  /**
   * All objects, in no order that means anything. One that refers to very many others comes again, right after, with
   * the rest of its references. They are read one after the other while others change them, so a reference may lead to
   * an object that is gone or came later.
   *
   * @throws as the snapshotter or the content store where sizes are asked for
   */
  objects(options?: ObjectsOptions): AsyncIterable<StoredObject>
}

/** The same for equal names only. */
export function objectKey({ kind, id, snapshotter = '' }: ObjectName): string {
  return `${kind}\0${snapshotter}\0${id}`
}

/** Objects by `objectKey`, each with all its references. */
export function objectsByKey(objects: Iterable<StoredObject>): Map<string, StoredObject> {
  const byKey = new Map<string, StoredObject>()
  for (const object of objects) {
    const key = objectKey(object)
    const before = byKey.get(key)?.references ?? []
    byKey.set(
      key,
      before.length === 0 ? object : { ...object, references: [...before, ...object.references] },
    )
  }
  return byKey
}

/** The snapshot that a snapshot is based on. */
export function parentOf({ kind, snapshotter, parent }: StoredObject): ObjectName | undefined {
  return parent === undefined ? undefined : { kind, id: parent, snapshotter }
}
