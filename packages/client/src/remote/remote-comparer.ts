import { toTimestamp } from '@nsbox/api'
import { Diff } from '@nsbox/api/gen/services/diff/v1/diff_pb'
import type { CompareOptions, Comparer, DiffMount } from '@nsbox/core/diff'
import type { Descriptor } from '@nsbox/oci'
import { Timestamp } from '@nsbox/time'
import { received } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { receivedDescriptor } from '../messages/descriptor-message.ts'
import { mountMessage } from '../messages/mount-message.ts'

/** Lets a server compare trees, and store the layers in one namespace. */
export class RemoteComparer implements Comparer {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async compare(
    lower: readonly DiffMount[],
    upper: readonly DiffMount[],
    options: CompareOptions = {},
  ): Promise<Descriptor> {
    const { mediaType = '', ref = '', labels = {}, sourceDateEpoch, signal } = options
    const request = {
      left: lower.map(mountMessage),
      right: upper.map(mountMessage),
      mediaType,
      ref,
      labels: { ...labels },
      ...(sourceDateEpoch && { sourceDateEpoch: toTimestamp(Timestamp.fromDate(sourceDateEpoch)) }),
    }
    const { diff } = await this.#rpc.unary(Diff.method.diff, request, { signal })
    return receivedDescriptor(received(diff, 'the descriptor of a layer'))
  }
}
