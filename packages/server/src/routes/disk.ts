import type { MessageShape } from '@bufbuild/protobuf'
import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import type { ConnectRouter } from '@connectrpc/connect'
import { toBigInt } from '@nsbox/api'
import { Disk, ObjectNameSchema, ObjectSchema } from '@nsbox/api/gen/nsbox/disk/v1/disk_pb'
import type { ObjectName, StoredObject } from '@nsbox/core/disk'
import type { ViewOf } from '../rpc/namespace-views.ts'

/** How many objects and references a message has at most, but for those of its last object. */
const mostNames = 500

/** Serves what the collector knows of the objects of namespaces. */
export function diskRoutes(router: ConnectRouter, view: ViewOf): void {
  router.service(Disk, {
    async *list({ sizes }, context) {
      let objects: MessageShape<typeof ObjectSchema>[] = []
      let names = 0
      for await (const object of view(context).objects({ sizes, signal: context.signal })) {
        objects.push(toMessage(object))
        names += 1 + object.references.length
        if (names < mostNames) continue
        yield { objects }
        objects = []
        names = 0
      }
      if (objects.length > 0) yield { objects }
    },
  })
}

function toMessage(object: StoredObject): MessageShape<typeof ObjectSchema> {
  const { isRoot, isFlat, isMissing = false, expiresAt, references, parent = '', storage = '', size } = object
  return create(ObjectSchema, {
    name: toNameMessage(object),
    root: isRoot,
    flat: isFlat,
    missing: isMissing,
    references: references.map(toNameMessage),
    parent,
    storage,
    ...(expiresAt && { expiresAt: timestampFromDate(expiresAt) }),
    ...(size !== undefined && { size: toBigInt(size, 'size') }),
  })
}

const toNameMessage = ({ kind, id, snapshotter = '' }: ObjectName) =>
  create(ObjectNameSchema, { kind, id, snapshotter })
