import type { ConnectRouter, HandlerContext } from '@connectrpc/connect'
import { toTimestamp } from '@nsbox/api'
import { Mounts } from '@nsbox/api/gen/services/mounts/v1/mounts_pb'
import { NsboxError } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'
import { fromRootfsMessages, toMountMessage } from '../convert/mount.ts'
import type { ActivationRecord } from '../mounts/activation-record.ts'
import type { MountManager } from '../mounts/mount-manager.ts'

/** Serves activated mounts (docs/behaviour.md §19). */
export function mountsRoutes(
  router: ConnectRouter,
  manager: MountManager,
  namespaceOf: (context: HandlerContext) => string,
): void {
  router.service(Mounts, {
    async activate({ name, mounts, labels, temporary }, context) {
      const given = fromRootfsMessages(mounts)
      const { signal } = context
      const options = { labels, temporary, signal }
      return { info: toInfo(await manager.activate(namespaceOf(context), name, given, options)) }
    },
    async deactivate({ name }, context) {
      await manager.deactivate(namespaceOf(context), name, context)
      return {}
    },
    async info({ name }, context) {
      return { info: toInfo(manager.info(namespaceOf(context), name)) }
    },
    async update({ info, updateMask }, context) {
      if (info === undefined) throw new NsboxError('invalid_argument', 'info must be set')
      const namespace = namespaceOf(context)
      return { info: toInfo(await manager.update(namespace, info, updateMask?.paths ?? [], context)) }
    },
    async *list({ filters }, context) {
      for (const record of manager.list(namespaceOf(context), filters)) yield { info: toInfo(record) }
    },
  })
}

function toInfo({ name, labels, active, system }: ActivationRecord) {
  return {
    name,
    labels: { ...labels },
    active: active.map(({ mount, mountPoint, mountedAt }) => ({
      mount: toMountMessage(mount),
      mountPoint,
      mountedAt: toTimestamp(Timestamp.fromEpochMicroseconds(mountedAt)),
    })),
    system: system.map(toMountMessage),
  }
}
