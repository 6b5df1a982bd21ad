import type { ConnectRouter } from '@connectrpc/connect'
import { fromTimestamp } from '@nsbox/api'
import { Diff } from '@nsbox/api/gen/services/diff/v1/diff_pb'
import { NsboxError, quoted } from '@nsbox/errors'
import { mediaTypes } from '@nsbox/oci'
import { fromDescriptorMessage, toDescriptorMessage } from '../convert/descriptor.ts'
import { fromMountMessages } from '../convert/mount.ts'
import type { DifferOf } from '../diff/differs-of.ts'
import { syncSnapshot } from '../diff/sync-snapshot.ts'

/** Serves applying and making layers. */
export function diffRoutes(router: ConnectRouter, differOf: DifferOf): void {
  router.service(Diff, {
    async apply({ diff, mounts, payloads, syncFs }, context) {
      const { applier } = differOf(context)
      const layer = fromDescriptorMessage(diff, 'diff')
      for (const id of Object.keys(payloads))
        throw new NsboxError('unimplemented', `payload ${quoted(id)} of a layer`)
      const target = fromMountMessages(mounts)
      const { diffId, size } = await applier.apply(layer, target, { signal: context.signal })
      if (syncFs) await syncSnapshot(target)
      return { applied: toDescriptorMessage({ mediaType: mediaTypes.ociLayer, digest: diffId, size }) }
    },
    async diff({ left, right, mediaType, ref, labels, sourceDateEpoch }, context) {
      const { comparer } = differOf(context)
      const descriptor = await comparer.compare(fromMountMessages(left), fromMountMessages(right), {
        ...(mediaType === '' ? {} : { mediaType }),
        ...(ref === '' ? {} : { ref }),
        labels,
        sourceDateEpoch: fromTimestamp(sourceDateEpoch, 'source_date_epoch')?.toDate(),
        signal: context.signal,
      })
      return { diff: toDescriptorMessage(descriptor) }
    },
  })
}
