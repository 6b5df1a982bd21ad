import { toBigInt } from '@nsbox/api'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import type {
  AbortOptions,
  ContentInfo,
  ContentStore,
  ContentWriter,
  IngestOptions,
  IngestStatus,
  ReadRange,
} from '@nsbox/core/content'
import type { LabelChange } from '@nsbox/core/labels'
import { NsboxError } from '@nsbox/errors'
import { assertDigest, type Digest } from '@nsbox/oci'
import { received } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { contentInfo, ingestStatus } from '../messages/content-message.ts'
import { maskedLabels } from '../messages/label-mask.ts'
import { openRemoteWriter } from './remote-content-writer.ts'

/** The content store of a server, seen from one namespace. */
export class RemoteContentStore implements ContentStore {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async info(digest: Digest, options: AbortOptions = {}): Promise<ContentInfo> {
    assertDigest(digest)
    const { info } = await this.#rpc.unary(Content.method.info, { digest }, options)
    return contentInfo(received(info, 'the info of a blob'))
  }

  async *read(digest: Digest, { offset = 0, length, signal }: ReadRange & AbortOptions = {}) {
    assertDigest(digest)
    const size = length === undefined ? 0 : await this.#available(digest, offset, length, signal)
    // A size of zero asks for everything up to the end.
    if (length !== undefined && size === 0) return
    const request = { digest, offset: toBigInt(offset, 'offset'), size: toBigInt(size, 'size') }
    for await (const { data } of this.#rpc.serverStream(Content.method.read, request, { signal })) {
      if (data.byteLength > 0) yield data
    }
  }

  writer(options: IngestOptions, abort: AbortOptions = {}): Promise<ContentWriter> {
    return openRemoteWriter(this.#rpc, this, options, abort)
  }

  async status(ref: string, options: AbortOptions = {}): Promise<IngestStatus> {
    const { status } = await this.#rpc.unary(Content.method.status, { ref }, options)
    return ingestStatus(received(status, 'the status of an ingest'))
  }

  async statuses(filters: readonly string[] = [], options: AbortOptions = {}): Promise<IngestStatus[]> {
    const request = { filters: [...filters] }
    const { statuses } = await this.#rpc.unary(Content.method.listStatuses, request, options)
    return statuses.map(ingestStatus).sort((a, b) => (a.ref < b.ref ? -1 : 1))
  }

  async abort(ref: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Content.method.abort, { ref }, options)
  }

  async update(digest: Digest, change: LabelChange, options: AbortOptions = {}): Promise<ContentInfo> {
    assertDigest(digest)
    const { labels, paths } = maskedLabels(change)
    if (paths.length === 0) return this.info(digest, options)
    const request = { info: { digest, labels }, updateMask: { paths } }
    const { info } = await this.#rpc.unary(Content.method.update, request, options)
    return contentInfo(received(info, 'the info of a blob'))
  }

  async *list(filters: readonly string[] = [], options: AbortOptions = {}) {
    const request = { filters: [...filters] }
    for await (const { info } of this.#rpc.serverStream(Content.method.list, request, options)) {
      for (const blob of info) yield contentInfo(blob)
    }
  }

  async delete(digest: Digest, options: AbortOptions = {}): Promise<void> {
    assertDigest(digest)
    await this.#rpc.unary(Content.method.delete, { digest }, options)
  }

  /** How many of the requested bytes exist: containerd refuses a range that goes beyond the end. */
  async #available(
    digest: Digest,
    offset: number,
    length: number,
    signal: AbortSignal | undefined,
  ): Promise<number> {
    const { size } = await this.info(digest, { signal })
    if (offset > size) {
      throw new NsboxError('out_of_range', `content ${digest}: offset ${offset} beyond its size ${size}`)
    }
    return Math.min(length, size - offset)
  }
}
