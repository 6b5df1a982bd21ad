import { timestampDate } from '@bufbuild/protobuf/wkt'
import type {
  ObjectName as NameMessage,
  Object$ as ObjectMessage,
} from '@nsbox/api/gen/nsbox/disk/v1/disk_pb'
import type { ObjectKind, ObjectName, StoredObject } from '@nsbox/core/disk'
import { disk, within } from '../connection/calls.ts'
import { namespaceNames } from '../connection/namespace-choice.ts'

/** All objects of each namespace. */
export type StoredObjects = ReadonlyMap<string, readonly StoredObject[]>

/** What all namespaces store, with sizes. What several share can be told only of all. */
export async function loadDisk(signal: AbortSignal): Promise<StoredObjects> {
  const stored = new Map<string, StoredObject[]>()
  for (const namespace of await namespaceNames(signal)) {
    const found: StoredObject[] = []
    for await (const { objects } of disk.list({ sizes: true }, within(namespace, { signal })))
      for (const object of objects) found.push(storedObject(object))
    stored.set(namespace, found)
  }
  return stored
}

function storedObject(message: ObjectMessage): StoredObject {
  const { name, root, flat, missing, expiresAt, references, parent, storage, size } = message
  if (name === undefined) throw new Error('the server tells of an object without a name')
  return {
    ...objectName(name),
    isRoot: root,
    isFlat: flat,
    isMissing: missing,
    expiresAt: expiresAt && timestampDate(expiresAt),
    references: references.map(objectName),
    parent: parent || undefined,
    storage: storage || undefined,
    size: size === undefined ? undefined : Number(size),
  }
}

function objectName({ kind, id, snapshotter }: NameMessage): ObjectName {
  // Kinds that are not known are shown like others that hold nothing.
  return { kind: kind as ObjectKind, id, ...(snapshotter && { snapshotter }) }
}
