import type { MessageInitShape, MessageShape } from '@bufbuild/protobuf'
import type { ConnectRouter } from '@connectrpc/connect'
import { toTimestamp } from '@nsbox/api'
import { type ImageSchema, Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import type { Image, ImageChange } from '@nsbox/core/images'
import { labelChangeFromPaths } from '@nsbox/core/labels'
import { NsboxError } from '@nsbox/errors'
import { fromDescriptorMessage, toDescriptorMessage } from '../convert/descriptor.ts'
import type { ViewOf } from '../rpc/namespace-views.ts'

type ImageMessage = MessageShape<typeof ImageSchema>

/** Serves the images of namespaces. */
export function imagesRoutes(router: ConnectRouter, view: ViewOf): void {
  router.service(Images, {
    async get({ name }, context) {
      return { image: toMessage(await view(context).images.get(name)) }
    },
    async list({ filters }, context) {
      const images = await view(context).images.list(filters, context)
      return { images: images.map(toMessage) }
    },
    async create(request, context) {
      refuseEpoch(request.sourceDateEpoch)
      const { name, labels, target } = required(request.image)
      const image = { name, labels, target: fromDescriptorMessage(target, 'target') }
      return { image: toMessage(await view(context).images.create(image, context)) }
    },
    async update(request, context) {
      refuseEpoch(request.sourceDateEpoch)
      const image = required(request.image)
      const change = changeOf(image, request.updateMask?.paths ?? [])
      return { image: toMessage(await view(context).images.update(image.name, change, context)) }
    },
    async delete({ name, sync, target }, context) {
      const expected = target === undefined ? {} : { target: fromDescriptorMessage(target, 'target') }
      await view(context).images.delete(name, { sync, ...expected, signal: context.signal })
      return {}
    },
  })
}

/** The changes of a field mask; without one everything is replaced. */
function changeOf(image: ImageMessage, paths: readonly string[]): ImageChange {
  const subject = `image ${JSON.stringify(image.name)}`
  const replaces = (field: string) => paths.length === 0 || paths.includes(field)
  const under = (field: string) => paths.filter((path) => path === field || path.startsWith(`${field}.`))
  const labelPaths = paths.filter((path) => path !== 'target' && !under('annotations').includes(path))
  const target = replaces('target') ? { target: fromDescriptorMessage(image.target, 'target') } : {}
  const labels =
    paths.length === 0 || labelPaths.length > 0
      ? { labels: labelChangeFromPaths(image.labels, labelPaths, { subject }) }
      : {}
  const annotations =
    under('annotations').length > 0
      ? {
          annotations: labelChangeFromPaths(image.target?.annotations ?? {}, under('annotations'), {
            field: 'annotations',
            subject,
          }),
        }
      : {}
  return { ...target, ...labels, ...annotations }
}

function required(image: ImageMessage | undefined): ImageMessage {
  if (image === undefined) throw new NsboxError('invalid_argument', 'image must be set')
  return image
}

function refuseEpoch(epoch: unknown): void {
  if (epoch !== undefined) throw new NsboxError('unimplemented', 'source_date_epoch of an image')
}

function toMessage(image: Image): MessageInitShape<typeof ImageSchema> {
  return {
    name: image.name,
    labels: { ...image.labels },
    target: toDescriptorMessage(image.target),
    createdAt: toTimestamp(image.createdAt),
    updatedAt: toTimestamp(image.updatedAt),
  }
}
