import { chainIds, type Descriptor, mediaTypes } from '@nsbox/oci'
import { type RawHeader, seededBytes } from '@nsbox/testing'
import { type ImageInMemory, imageInMemory } from './image-in-memory.ts'

/** What begins a layer that describes its root. */
export const described = [{ name: '', type: '5', mtime: 1 }].map(
  ({ type }): RawHeader => ({ name: './', type, mode: 0o755, mtime: 1 }),
)
/** A file for a layer. */
export const file = (name: string, content: string | Uint8Array): RawHeader => ({
  name,
  content,
  mtime: 2000,
})
/** Bytes that do not compress, the same for the same seed. */
export const random = (seed: string, size: number) => Buffer.concat([...seededBytes(seed, size)])

/** Layers whose bytes do not compress: each the given number of kilobytes. */
export const sized = (...kilobytes: readonly number[]) =>
  imageInMemory(
    kilobytes.map((size, index) => ({
      entries: [...described, file(`f${index}`, random(`${index}`, size * 1000)), file('last', `${index}`)],
      mediaType: index % 2 === 0 ? mediaTypes.ociLayer : mediaTypes.ociLayerGzip,
    })),
  )

/** The chain id of all layers. */
export const top = ({ layers }: ImageInMemory) => chainIds(layers.map(({ diffId }) => diffId)).at(-1)!
export const isLayer = (image: ImageInMemory, { digest }: Descriptor) =>
  image.layers.some((layer) => layer.digest === digest)
