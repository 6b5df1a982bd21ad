import type { ByteBudget } from '@nsbox/core/byte-budget'
import type { AbortOptions, ContentReader } from '@nsbox/core/content'
import { NsboxError, quoted } from '@nsbox/errors'
import {
  type Descriptor,
  type Digest,
  isIndex,
  isManifest,
  isNonDistributable,
  type Platform,
} from '@nsbox/oci'
import { readChildren } from '../documents/children.ts'
import { chooseManifests } from '../documents/choose-manifests.ts'
import { noManifest } from '../documents/no-manifest.ts'
import { checkGraph, documentsBudget } from '../documents/walk.ts'
import { hasContent } from './has-content.ts'

/** An image to export. */
export interface ExportedImage {
  readonly name: string
  readonly target: Descriptor
}

/** How to choose what to export. */
export interface ExportPlanOptions extends AbortOptions {
  readonly content: ContentReader
  readonly platforms: readonly Platform[]
  readonly skipNonDistributable: boolean
}

/** The content of the images to export. */
export interface ExportPlan {
  /** Bytes of every blob, by digest. */
  readonly blobs: ReadonlyMap<Digest, number>
  /** For each image, its manifests in the order of its index, best first for a single platform. */
  readonly manifests: ReadonlyMap<ExportedImage, readonly Descriptor[]>
}

/**
 * Finds the content of an export, and checks that all of it exists.
 *
 * @throws `not_found` for content that is missing, naming it and the image, and for an index without a manifest for the
 * platforms; `data_loss` for content of another size than in its descriptor; as `readChildren`
 */
export async function planExport(
  images: readonly ExportedImage[],
  { content, platforms, skipNonDistributable, signal }: ExportPlanOptions,
): Promise<ExportPlan> {
  const blobs = new Map<Digest, number>()
  const manifests = new Map<ExportedImage, readonly Descriptor[]>()
  for (const image of images) {
    const found: Descriptor[] = []
    await visit(image, image.target, 0, { seen: new Set(), documents: documentsBudget(image.target) }, found)
    manifests.set(image, found)
  }
  return { blobs, manifests }

  async function visit(
    image: ExportedImage,
    descriptor: Descriptor,
    depth: number,
    { seen, documents }: { readonly seen: Set<string>; readonly documents: ByteBudget },
    found: Descriptor[],
  ): Promise<void> {
    const { mediaType, digest, size } = descriptor
    const key = `${mediaType} ${digest}`
    if (seen.has(key) || (skipNonDistributable && isNonDistributable(mediaType))) return
    seen.add(key)
    const shown = quoted(image.name)
    checkGraph(shown, depth, seen.size)
    if (!(await hasContent(content, descriptor, shown, { signal })))
      throw new NsboxError('not_found', `image ${shown}: content ${digest}`)
    blobs.set(digest, size)
    if (isManifest(mediaType)) found.push(descriptor)
    const below = await readChildren(content, descriptor, { documents, signal })
    const chosen = isIndex(mediaType) ? chooseManifests(below, platforms) : below
    if (below.length > 0 && chosen.length === 0) {
      throw noManifest(`image ${shown}: index ${digest}`, platforms, below)
    }
    for (const child of chosen) await visit(image, child, depth + 1, { seen, documents }, found)
  }
}
