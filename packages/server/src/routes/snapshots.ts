import type { ConnectRouter } from '@connectrpc/connect'
import { toBigInt } from '@nsbox/api'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { labelChangeFromPaths } from '@nsbox/core/labels'
import { NsboxError } from '@nsbox/errors'
import { toMountMessage } from '../convert/mount.ts'
import { toSnapshotInfoMessage } from '../convert/snapshot-info.ts'
import type { CallSnapshotter } from '../snapshotters/call-snapshotter.ts'
import { batches } from './batches.ts'

/** Serves the snapshots of namespaces. */
export function snapshotsRoutes(router: ConnectRouter, snapshotterOf: CallSnapshotter): void {
  router.service(Snapshots, {
    async prepare({ snapshotter: name, key, parent, labels }, context) {
      const snapshotter = await snapshotterOf(context, name)
      const mounts = await snapshotter.prepare(key, parent, { labels, signal: context.signal })
      return { mounts: mounts.map(toMountMessage) }
    },
    async view({ snapshotter: name, key, parent, labels }, context) {
      const snapshotter = await snapshotterOf(context, name)
      const mounts = await snapshotter.view(key, parent, { labels, signal: context.signal })
      return { mounts: mounts.map(toMountMessage) }
    },
    async mounts({ snapshotter: name, key }, context) {
      const mounts = await (await snapshotterOf(context, name)).mounts(key, context)
      return { mounts: mounts.map(toMountMessage) }
    },
    async commit({ snapshotter: snapshotterName, name, key, labels, parent }, context) {
      const snapshotter = await snapshotterOf(context, snapshotterName)
      await snapshotter.commit(name, key, {
        labels,
        ...(parent === '' ? {} : { parent }),
        signal: context.signal,
      })
      return {}
    },
    async remove({ snapshotter: name, key }, context) {
      await (await snapshotterOf(context, name)).remove(key, context)
      return {}
    },
    async stat({ snapshotter: name, key }, context) {
      return { info: toSnapshotInfoMessage(await (await snapshotterOf(context, name)).stat(key, context)) }
    },
    async update({ snapshotter: name, info, updateMask }, context) {
      if (info === undefined) throw new NsboxError('invalid_argument', 'info must be set')
      const snapshotter = await snapshotterOf(context, name)
      const subject = `snapshot ${JSON.stringify(info.name)}`
      const change = labelChangeFromPaths(info.labels, updateMask?.paths ?? [], { subject })
      return { info: toSnapshotInfoMessage(await snapshotter.update(info.name, change, context)) }
    },
    async *list({ snapshotter: name, filters }, context) {
      const infos = (await snapshotterOf(context, name)).list(filters, context)
      for await (const info of batches(infos, toSnapshotInfoMessage)) yield { info }
    },
    async usage({ snapshotter: name, key }, context) {
      const { size, inodes } = await (await snapshotterOf(context, name)).usage(key, context)
      return { size: toBigInt(size, 'usage.Size'), inodes: toBigInt(inodes, 'usage.Inodes') }
    },
    async cleanup({ snapshotter: name }, context) {
      await (await snapshotterOf(context, name)).cleanup(context)
      return {}
    },
  })
}
