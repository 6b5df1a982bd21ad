import type { MessageShape } from '@bufbuild/protobuf'
import { timestampDate } from '@bufbuild/protobuf/wkt'
import { toSafeNumber } from '@nsbox/api'
import {
  Disk as DiskService,
  type ObjectNameSchema,
  type ObjectSchema,
} from '@nsbox/api/gen/nsbox/disk/v1/disk_pb'
import type { ObjectKind, ObjectName, StoredObject } from '@nsbox/core/disk'
import { NsboxError, quoted } from '@nsbox/errors'
import { received } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import type { Disk } from './disk.ts'
import type { DiskView } from './disk-view.ts'

/** The disk of a server, seen from one namespace. */
export function remoteDisk(rpc: Rpc, view: () => DiskView): Disk {
  return {
    async *objects({ sizes = false, signal } = {}) {
      for await (const { objects } of rpc.serverStream(DiskService.method.list, { sizes }, { signal }))
        for (const object of objects) yield receivedObject(object)
    },
    async usage(options = {}) {
      // Loaded only here, and below: few clients ask for it.
      const { usageOf } = await import('./usage-of.ts')
      return await usageOf(view(), options)
    },
    async why(id, options = {}) {
      const { explain } = await import('./explain.ts')
      return await explain(view(), id, options)
    },
    async prune(options = {}) {
      const { prune } = await import('./prune.ts')
      return await prune(view(), options)
    },
    async collect({ signal } = {}) {
      // To delete a lease is the way to wait for a collection that containerd has as well.
      const { id } = await view().leases.create({}, { signal })
      await view().leases.delete(id, { sync: true, signal })
    },
  }
}

function receivedObject(message: MessageShape<typeof ObjectSchema>): StoredObject {
  const { name, root, flat, missing, expiresAt, references, parent, storage, size } = message
  return {
    ...receivedName(received(name, 'the name of an object')),
    isRoot: root,
    isFlat: flat,
    isMissing: missing,
    expiresAt: expiresAt && timestampDate(expiresAt),
    references: references.map(receivedName),
    parent: parent || undefined,
    storage: storage || undefined,
    size: size === undefined ? undefined : toSafeNumber(size, 'size'),
  }
}

const kinds: Readonly<Record<ObjectKind, true>> = {
  image: true,
  content: true,
  ingest: true,
  lease: true,
  container: true,
  sandbox: true,
  snapshot: true,
}

function receivedName({ kind, id, snapshotter }: MessageShape<typeof ObjectNameSchema>): ObjectName {
  if (Object.hasOwn(kinds, kind)) return { kind: kind as ObjectKind, id, ...(snapshotter && { snapshotter }) }
  throw new NsboxError('data_loss', `the server tells of an object of kind ${quoted(kind)}`)
}
