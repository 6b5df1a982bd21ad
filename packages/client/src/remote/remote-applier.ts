import { toSafeNumber } from '@nsbox/api'
import { Diff } from '@nsbox/api/gen/services/diff/v1/diff_pb'
import type { AbortOptions, AppliedLayer, Applier, ApplyLayerOptions, DiffMount } from '@nsbox/core/diff'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, parseDigest } from '@nsbox/oci'
import { received } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { descriptorMessage } from '../messages/descriptor-message.ts'
import { mountMessage } from '../messages/mount-message.ts'

/** Lets a server apply the layers of one namespace. */
export class RemoteApplier implements Applier {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async apply(
    layer: Descriptor,
    mounts: readonly DiffMount[],
    { diffId, arriving, signal }: ApplyLayerOptions & AbortOptions = {},
  ): Promise<AppliedLayer> {
    if (arriving !== undefined) {
      throw new NsboxError(
        'unimplemented',
        `applying layer ${layer.digest} in another process while it arrives`,
      )
    }
    // Snapshotters of a server may leave it to the applier to sync files to the disk.
    const request = { diff: descriptorMessage(layer), mounts: mounts.map(mountMessage), syncFs: true }
    const { applied } = await this.#rpc.unary(Diff.method.apply, request, { signal })
    const { digest, size } = received(applied, 'the descriptor of an applied layer')
    const actual = parseDigest(digest)
    if (diffId !== undefined && actual !== diffId)
      throw new NsboxError('failed_precondition', `unexpected diff id ${actual}, expected ${diffId}`)
    return { diffId: actual, size: toSafeNumber(size, 'size'), implied: [] }
  }
}
