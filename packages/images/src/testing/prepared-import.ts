import { join } from 'node:path'
import { type BuiltImage, buildImage, type ImageSpec, type TarEntry, tar } from '@nsbox/testing'
import { type ImageArchive, type ImportOptions, importImages } from '../archive/import-images.ts'
import { directoryEntries } from './archive-bytes.ts'
import { openStores, type TestStores } from './open-stores.ts'

/** A store, a layout, and a function that imports an archive. */
export async function prepareImport(spec: ImageSpec | ImageSpec[], tag = 'v1') {
  const stores = await openStores()
  const layout = join(stores.path, 'layout')
  const image = await buildImage(layout, spec, tag)
  return {
    ...stores,
    layout,
    image,
    entries: () => directoryEntries(layout),
    import: (source: ImageArchive | readonly TarEntry[], options: Partial<ImportOptions> = {}) =>
      importInto(stores, source, options),
  }
}

/** Imports an archive, or entries as one, into the stores. */
export function importInto(
  { view: { content, images } }: TestStores,
  source: ImageArchive | readonly TarEntry[],
  options: Partial<ImportOptions> = {},
) {
  const archive = Array.isArray(source) ? tar(source) : (source as ImageArchive)
  return importImages(archive, { content, images, naming: [{ baseName: 'test/image' }], ...options })
}

/** Digests of all blobs of a store. */
export async function blobsOf({ view }: TestStores): Promise<string[]> {
  const found: string[] = []
  for await (const { digest } of view.content.list()) found.push(digest)
  return found
}

/** Digests of all parts of an image. */
export const everyDigest = ({ target, manifests }: BuiltImage): Set<string> =>
  new Set(
    [target, ...manifests.flatMap((m) => [m.manifest, m.config, ...m.layers])].map(({ digest }) => digest),
  )

/** An index of these manifests, as JSON. */
export const indexOf = (...manifests: object[]): string => JSON.stringify({ schemaVersion: 2, manifests })
