import { createHash, type Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { ArchiveLayer, ImageLayer } from './image-layer.ts'
import { tar } from './tar.ts'

/** A descriptor in the form of the image specification. */
export interface TestDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly platform?: TestPlatform
}

export interface TestPlatform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
}

/** One image for one platform. */
export interface ImageSpec {
  /** From the lowest to the highest. */
  readonly layers: readonly (ImageLayer | ArchiveLayer)[]
  /** This machine's platform, on Linux, by default. */
  readonly platform?: TestPlatform
  /** The `config` object of the image's configuration, such as `{ Cmd: ['sh'] }`. */
  readonly config?: Readonly<Record<string, unknown>>
}

export interface BuiltManifest {
  readonly manifest: TestDescriptor
  readonly config: TestDescriptor
  readonly layers: readonly (TestDescriptor & { readonly diffId: string })[]
}

/** An image in a layout directory, with its digests. */
export interface BuiltImage {
  /** The layout's directory. */
  readonly layout: string
  readonly tag: string
  /** The target of the tag: the manifest of a single image, the index of several. */
  readonly target: TestDescriptor
  /** One for each platform, in the order given. */
  readonly manifests: readonly BuiltManifest[]
}

const type = (name: string) => `application/vnd.oci.image.${name}`

/** The platform of Linux images that run on this machine. */
export const hostPlatform: TestPlatform = {
  os: 'linux',
  architecture: { x64: 'amd64', ia32: '386' }[process.arch as string] ?? process.arch,
}

/**
 * Writes an image layout to `layout`, a directory that may exist but must not hold a layout yet. One image gives
 * a manifest, several give an index. The same specification gives the same digests.
 */
export async function buildImage(
  layout: string,
  image: ImageSpec | readonly ImageSpec[],
  tag = 'latest',
): Promise<BuiltImage> {
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true })
  const manifests: BuiltManifest[] = []
  const single = 'layers' in image
  for (const spec of single ? [image] : image) manifests.push(await buildManifest(layout, spec))
  const target = single
    ? withoutPlatform(manifests[0]!.manifest)
    : await writeJson(layout, type('index.v1+json'), {
        schemaVersion: 2,
        mediaType: type('index.v1+json'),
        manifests: manifests.map(({ manifest }) => manifest),
      })
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  const named = { ...target, annotations: { 'org.opencontainers.image.ref.name': tag } }
  await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }))
  return { layout, tag, target, manifests }
}

async function buildManifest(layout: string, spec: ImageSpec): Promise<BuiltManifest> {
  const platform = spec.platform ?? hostPlatform
  const layers: BuiltManifest['layers'][number][] = []
  for (const layer of spec.layers) layers.push(await writeLayer(layout, layer))
  const config = await writeJson(layout, type('config.v1+json'), {
    created: '1970-01-01T00:00:00Z',
    ...platform,
    config: spec.config ?? {},
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, index) => ({ created: '1970-01-01T00:00:00Z', created_by: `layer ${index}` })),
  })
  const manifest = await writeJson(layout, type('manifest.v1+json'), {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config,
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  })
  return { manifest: { ...manifest, platform }, config, layers }
}

const withoutPlatform = ({ mediaType, digest, size }: TestDescriptor): TestDescriptor => ({
  mediaType,
  digest,
  size,
})

async function writeLayer(
  layout: string,
  layer: ImageLayer | ArchiveLayer,
): Promise<BuiltManifest['layers'][number]> {
  const gzip = 'archive' in layer || layer.compression !== 'none'
  const [blob, diff] = [createHash('sha256'), createHash('sha256')]
  let size = 0
  const hashed = (hash: Hash, count: (bytes: number) => void = () => {}) =>
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        count(chunk.length)
        yield chunk
      }
    }
  const measured = hashed(blob, (bytes) => {
    size += bytes
  })
  const temporary = join(layout, 'blobs/unfinished')
  const file = createWriteStream(temporary)
  if ('archive' in layer) {
    await pipeline(createReadStream(layer.archive), measured, file)
    await pipeline(createReadStream(layer.archive), createGunzip(), hashed(diff), async (chunks) => {
      for await (const _ of chunks);
    })
  } else if (gzip) await pipeline(tar(layer.entries), hashed(diff), createGzip(), measured, file)
  else await pipeline(tar(layer.entries), hashed(diff), measured, file)
  const hex = blob.digest('hex')
  await rename(temporary, join(layout, 'blobs/sha256', hex))
  const mediaType = type(gzip ? 'layer.v1.tar+gzip' : 'layer.v1.tar')
  return { mediaType, digest: `sha256:${hex}`, size, diffId: `sha256:${diff.digest('hex')}` }
}

async function writeJson(layout: string, mediaType: string, value: object): Promise<TestDescriptor> {
  const bytes = Buffer.from(JSON.stringify(value))
  const hex = createHash('sha256').update(bytes).digest('hex')
  await writeFile(join(layout, 'blobs/sha256', hex), bytes)
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
}
