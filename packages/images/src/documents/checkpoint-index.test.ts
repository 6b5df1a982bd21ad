import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Descriptor, defaultPlatform, digestOf, mediaTypes, parsePlatform } from '@nsbox/oci'
import { expect, it } from 'vitest'
import { exportImages } from '../archive/export-images.ts'
import { importImages } from '../archive/import-images.ts'
import { pullImage } from '../pull/pull.ts'
import { pushImage } from '../push/push.ts'
import { imageInMemory, remoteOf } from '../testing/image-in-memory.ts'
import { openStores } from '../testing/open-stores.ts'
import { checkImage } from './check-image.ts'
import { imageChainId } from './image-chain-id.ts'

const platform = defaultPlatform()
const name = 'example.com/checkpoint:1'

/** An index of a checkpoint as containerd's clients make it, with all its blobs. */
function checkpoint({ withImage }: { withImage: boolean }) {
  const { os, architecture } = platform
  const blobs = new Map()
  const put = (mediaType: string, bytes: Buffer): Descriptor => {
    const digest = digestOf(bytes)
    blobs.set(digest, bytes)
    return { mediaType, digest, size: bytes.byteLength }
  }
  const own = (mediaType: string, text: string) => ({
    ...put(mediaType, Buffer.from(text)),
    platform: { os, architecture },
  })
  const image = imageInMemory([{ entries: [{ name: 'file' }] }])
  if (withImage) for (const [digest, bytes] of image.blobs) blobs.set(digest, bytes)
  const manifests = [
    ...(withImage ? [image.target] : []),
    own(mediaTypes.ociLayerGzip, 'files'),
    own(mediaTypes.checkpointCriu, 'memory'),
    own(mediaTypes.checkpointConfig, 'spec'),
    own(mediaTypes.checkpointOptions, 'options'),
  ]
  const index = { schemaVersion: 2, manifests, annotations: { 'image.name': 'example.com/image:1' } }
  const target = put(mediaTypes.ociIndex, Buffer.from(JSON.stringify(index)))
  return { target, blobs, chainId: withImage ? image.layers[0]!.diffId : undefined }
}

const digests = async ({ view }: Awaited<ReturnType<typeof openStores>>) => {
  const found = new Set<string>()
  for await (const { digest } of view.content.list()) found.add(digest)
  return found
}

it.each([
  [true, platform],
  [true, parsePlatform('linux/riscv64')],
  [false, platform],
])(
  'a checkpoint, with its image: %s, is pulled, kept and exported whole, for %o',
  async (withImage, wanted) => {
    const { target, blobs, chainId } = checkpoint({ withImage })
    const all = new Set(blobs.keys())
    await using stores = await openStores()
    const { content, images } = stores.view
    const remote = remoteOf({ ...imageInMemory([]), target, blobs })
    await pullImage({ remote, content, images, names: () => [name], platforms: [wanted] })
    await stores.collect()
    expect(await digests(stores)).toEqual(all)
    expect(await checkImage(content, target, { platforms: [wanted] })).toMatchObject({ status: 'complete' })
    expect(await imageChainId(content, target, { platform })).toBe(chainId)

    const archive = await buffer(exportImages([{ name, target }], { content, platforms: [wanted] }))
    await using other = await openStores()
    await importImages(Readable.from([archive]), { ...other.view, platforms: [wanted] })
    await other.collect()
    expect(await digests(other)).toEqual(all)
    expect((await other.view.images.get(name)).target.digest).toBe(target.digest)
  },
)

it('a checkpoint is pushed with all its parts, the index last', async () => {
  const { target, blobs } = checkpoint({ withImage: true })
  await using stores = await openStores()
  const { content, images } = stores.view
  await pullImage({
    remote: remoteOf({ ...imageInMemory([]), target, blobs }),
    content,
    images,
    names: () => [name],
  })
  const pushed: string[] = []
  const registry = {
    remote: (reference: string) => ({
      ...remoteOf(imageInMemory([])),
      reference,
      push: async ({ digest }: Descriptor) => {
        pushed.push(digest)
        return 'pushed' as const
      },
    }),
  }
  await pushImage(target, { registry, reference: name, content })
  expect(new Set(pushed)).toEqual(new Set(blobs.keys()))
  expect(pushed.at(-1)).toBe(target.digest)
})
