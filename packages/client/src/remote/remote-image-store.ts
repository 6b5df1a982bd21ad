import { type Image as ImageMessage, Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { Image, ImageChange, ImageDeletion, ImageStore, NewImage } from '@nsbox/core/images'
import { NsboxError } from '@nsbox/errors'
import { received, receivedLabels, receivedTime } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { descriptorMessage, receivedDescriptor } from '../messages/descriptor-message.ts'
import { maskedLabels } from '../messages/label-mask.ts'

/** The images of one namespace of a server. */
export class RemoteImageStore implements ImageStore {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  async get(name: string, options: AbortOptions = {}): Promise<Image> {
    const { image } = await this.#rpc.unary(Images.method.get, { name }, options)
    return receivedImage(image)
  }

  async list(filters: readonly string[] = [], options: AbortOptions = {}): Promise<Image[]> {
    const { images } = await this.#rpc.unary(Images.method.list, { filters: [...filters] }, options)
    return images.map(receivedImage).sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async create({ name, target, labels }: NewImage, options: AbortOptions = {}): Promise<Image> {
    const request = { image: { name, target: descriptorMessage(target), labels: { ...labels } } }
    const { image } = await this.#rpc.unary(Images.method.create, request, options)
    return receivedImage(image)
  }

  async update(name: string, change: ImageChange, options: AbortOptions = {}): Promise<Image> {
    const labels = maskedLabels(change.labels ?? { merge: {} })
    const annotations = maskedLabels(change.annotations ?? { merge: {} }, 'annotations')
    // In this order, so that annotations are changed on the new target.
    const paths = [...(change.target ? ['target'] : []), ...labels.paths, ...annotations.paths]
    if (paths.length === 0) return this.get(name, options)
    const target = change.target && descriptorMessage(change.target)
    const request = {
      image: {
        name,
        labels: labels.labels,
        target: { ...target, annotations: { ...target?.annotations, ...annotations.labels } },
      },
      updateMask: { paths },
    }
    const { image } = await this.#rpc.unary(Images.method.update, request, options)
    return receivedImage(image)
  }

  async delete(name: string, options: ImageDeletion & AbortOptions = {}): Promise<void> {
    const { sync = false, target, signal } = options
    // Servers before containerd 2.0 ignore `target` and would delete whatever is there.
    if (target) await this.#checkTarget(name, target.digest, { signal })
    const request = { name, sync, ...(target && { target: descriptorMessage(target) }) }
    await this.#rpc.unary(Images.method.delete, request, { signal })
  }

  async #checkTarget(name: string, digest: string, options: AbortOptions): Promise<void> {
    const image = await this.get(name, options)
    if (image.target.digest === digest) return
    throw new NsboxError('not_found', `image "${name}" has target ${image.target.digest}, not ${digest}`)
  }
}

function receivedImage(message: ImageMessage | undefined): Image {
  const image = received(message, 'an image')
  return {
    name: image.name,
    target: receivedDescriptor(received(image.target, 'the target of an image')),
    labels: receivedLabels(image.labels),
    createdAt: receivedTime(image.createdAt, 'image.created_at'),
    updatedAt: receivedTime(image.updatedAt, 'image.updated_at'),
  }
}
