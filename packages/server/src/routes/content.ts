import type { MessageInitShape } from '@bufbuild/protobuf'
import type { ConnectRouter } from '@connectrpc/connect'
import { toBigInt, toSafeNumber, toTimestamp } from '@nsbox/api'
import { Content, type InfoSchema, type StatusSchema } from '@nsbox/api/gen/services/content/v1/content_pb'
import type { ContentInfo, IngestStatus } from '@nsbox/core/content'
import { labelChangeFromPaths } from '@nsbox/core/labels'
import { NsboxError } from '@nsbox/errors'
import { parseDigest } from '@nsbox/oci'
import type { ViewOf } from '../rpc/namespace-views.ts'
import { batches } from './batches.ts'
import { serveWrite } from './content-write.ts'

/** The most bytes of a blob in a message. */
const readChunk = 1 << 20

/**
 * Serves the content of namespaces.
 *
 * @param onBegin called with the ref when a client begins to write
 */
export function contentRoutes(router: ConnectRouter, view: ViewOf, onBegin: (ref: string) => void): void {
  router.service(Content, {
    async info({ digest }, context) {
      return { info: toInfoMessage(await view(context).content.info(parseDigest(digest))) }
    },
    async update({ info, updateMask }, context) {
      if (info === undefined) throw new NsboxError('invalid_argument', 'info must be set')
      const digest = parseDigest(info.digest)
      const subject = `content info ${JSON.stringify(digest)}`
      const change = labelChangeFromPaths(info.labels, updateMask?.paths ?? [], { subject })
      return { info: toInfoMessage(await view(context).content.update(digest, change, context)) }
    },
    async *list({ filters }, context) {
      const infos = view(context).content.list(filters, context)
      for await (const info of batches(infos, toInfoMessage)) yield { info }
    },
    async delete({ digest }, context) {
      await view(context).content.delete(parseDigest(digest), context)
      return {}
    },
    async *read(request, context) {
      const digest = parseDigest(request.digest)
      // Negative numbers mean the default, as a length of 0 does.
      let offset = Math.max(0, toSafeNumber(request.offset, 'offset'))
      const length = toSafeNumber(request.size, 'size')
      const range = { offset, ...(length > 0 ? { length } : {}), signal: context.signal }
      for await (const chunk of view(context).content.read(digest, range)) {
        for (let start = 0; start < chunk.byteLength; start += readChunk) {
          const data = chunk.subarray(start, start + readChunk)
          yield { offset: BigInt(offset), data }
          offset += data.byteLength
        }
      }
    },
    async status({ ref }, context) {
      return { status: toStatusMessage(await view(context).content.status(ref, context)) }
    },
    async listStatuses({ filters }, context) {
      const statuses = await view(context).content.statuses(filters, context)
      return { statuses: statuses.map(toStatusMessage) }
    },
    async *write(requests, context) {
      yield* serveWrite(view(context).content, requests, { onBegin, signal: context.signal })
    },
    async abort({ ref }, context) {
      await view(context).content.abort(ref, context)
      return {}
    },
  })
}

function toInfoMessage(info: ContentInfo): MessageInitShape<typeof InfoSchema> {
  return {
    digest: info.digest,
    size: toBigInt(info.size, 'info.Size'),
    createdAt: toTimestamp(info.createdAt),
    updatedAt: toTimestamp(info.updatedAt),
    labels: { ...info.labels },
  }
}

function toStatusMessage(status: IngestStatus): MessageInitShape<typeof StatusSchema> {
  return {
    startedAt: toTimestamp(status.startedAt),
    updatedAt: toTimestamp(status.updatedAt),
    ref: status.ref,
    offset: toBigInt(status.offset, 'status.Offset'),
    total: toBigInt(status.total, 'status.Total'),
    expected: status.expected ?? '',
  }
}
