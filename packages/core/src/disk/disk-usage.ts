import { objectKey, objectsByKey, parentOf, type StoredObject } from './stored-object.ts'
import { unheld } from './unheld.ts'

/** What something takes on the disk, in bytes. */
export interface Usage {
  readonly size: number
  /** The part of `size` that nothing else of its kind takes: images, containers, namespaces. */
  readonly unique: number
}

/** What an image takes: its content, and the snapshots that it is unpacked into. */
export interface NamedUsage extends Usage {
  readonly name: string
}

/** What the objects of a namespace take. */
export interface NamespaceUsage extends NamedUsage {
  readonly content: number
  readonly snapshots: number
  readonly ingests: number
  readonly images: readonly NamedUsage[]
  /** With all snapshots that theirs are based on. */
  readonly containers: readonly NamedUsage[]
  /** Bytes that nothing keeps: the next collection removes them. */
  readonly unheld: number
}

/** What all objects of a server take. Bytes that several namespaces share count once. */
export interface DiskUsage {
  readonly size: number
  /** In the order given. */
  readonly namespaces: readonly NamespaceUsage[]
}

/** The bytes of each storage. */
type Storages = ReadonlyMap<string, number>

/**
 * Adds up what objects take on the disk.
 *
 * @param namespaces all objects of each namespace, with their sizes
 */
export function diskUsage(namespaces: ReadonlyMap<string, readonly StoredObject[]>): DiskUsage {
  const owned = [...namespaces].map(([name, objects]) => ownedBy(name, objects))
  const unique = <T>(all: readonly T[], storages: (one: T) => Storages) => {
    const owners = countOwners(all.map(storages))
    return (one: T) => sum(onlyOf(storages(one), owners))
  }
  const ofNamespaces = unique(owned, ({ all }) => all)
  const images = owned.flatMap((namespace) => namespace.images)
  const ofImages = unique(images, ({ storages }) => storages)
  const containers = owned.flatMap((namespace) => namespace.containers)
  const ofContainers = unique(containers, ({ storages }) => storages)
  const named = (one: Owner, ofAll: (one: Owner) => number): NamedUsage => ({
    name: one.name,
    size: sum(one.storages),
    unique: ofAll(one),
  })
  return {
    size: sum(new Map(owned.flatMap(({ all }) => [...all]))),
    namespaces: owned.map((namespace) => ({
      name: namespace.name,
      size: sum(namespace.all),
      unique: ofNamespaces(namespace),
      content: sum(namespace.content),
      snapshots: sum(namespace.snapshots),
      ingests: sum(namespace.ingests),
      images: namespace.images.map((image) => named(image, ofImages)),
      containers: namespace.containers.map((container) => named(container, ofContainers)),
      unheld: sum(namespace.unheld),
    })),
  }
}

interface Owner {
  readonly name: string
  readonly storages: Storages
}

interface Owned {
  readonly name: string
  readonly all: Storages
  readonly content: Storages
  readonly snapshots: Storages
  readonly ingests: Storages
  readonly unheld: Storages
  readonly images: readonly Owner[]
  readonly containers: readonly Owner[]
}

function ownedBy(name: string, read: readonly StoredObject[]): Owned {
  const byKey = objectsByKey(read)
  const objects = [...byKey.values()]
  const of = (kind: StoredObject['kind']) => objects.filter((object) => object.kind === kind)
  const owners = (kind: StoredObject['kind']) =>
    of(kind).map((object) => ({ name: object.id, storages: storagesOf(reachable(object, byKey)) }))
  return {
    name,
    all: storagesOf(objects),
    content: storagesOf(of('content')),
    snapshots: storagesOf(of('snapshot')),
    ingests: storagesOf(of('ingest')),
    unheld: storagesOf(unheld(objects)),
    images: owners('image'),
    containers: owners('container'),
  }
}

/** An object and all that it keeps. */
function reachable(from: StoredObject, byKey: ReadonlyMap<string, StoredObject>): Set<StoredObject> {
  const found = new Set([from])
  // A set tells of what is added while it is gone through.
  for (const object of found) {
    for (const name of [...object.references, parentOf(object)]) {
      const next = name && byKey.get(objectKey(name))
      if (next !== undefined) found.add(next)
    }
  }
  return found
}

function storagesOf(objects: Iterable<StoredObject>): Storages {
  const storages = new Map<string, number>()
  for (const { storage, size = 0 } of objects) if (storage !== undefined) storages.set(storage, size)
  return storages
}

function countOwners(owners: readonly Storages[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const storages of owners)
    for (const storage of storages.keys()) counts.set(storage, (counts.get(storage) ?? 0) + 1)
  return counts
}

function onlyOf(storages: Storages, owners: ReadonlyMap<string, number>): Storages {
  return new Map([...storages].filter(([storage]) => owners.get(storage) === 1))
}

function sum(storages: Storages): number {
  let bytes = 0
  for (const size of storages.values()) bytes += size
  return bytes
}
