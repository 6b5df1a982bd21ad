import { type Descriptor, isIndex, isManifest, type Platform } from '@nsbox/oci'
import { chooseManifests } from './choose-manifests.ts'
import { noManifest } from './no-manifest.ts'

/** Which parts of an image to take. */
export interface ImageChoice {
  /** Platforms to take; all of them if absent or empty. Of each platform, the best match of an index. */
  readonly platforms?: readonly Platform[] | undefined
  /** Take the manifests and configs of all platforms, but layers only of the chosen ones; not by default. */
  readonly allMetadata?: boolean | undefined
  /**
   * Most manifests to take of each index: those of the platforms first, in their order, and in the order of the index
   * where no platform is given. No limit by default.
   */
  readonly manifestLimit?: number | undefined
}

/** How to choose children of a document. */
export interface ChildrenOptions extends ImageChoice {
  /** Platforms to prefer, where there is a limit. */
  readonly first?: readonly Platform[] | undefined
  readonly layers: boolean
}

/** A part of an image to take. */
export interface ChosenChild {
  readonly descriptor: Descriptor
  /** Whether its layers are taken too. */
  readonly layers: boolean
}

/**
 * Chooses children of a document: of an index, the manifests of the chosen platforms, and at most the documents of
 * others; of a manifest, the config and, with `layers`, the rest.
 *
 * @throws `not_found` for an index that has nothing for the platforms
 */
export function chooseChildren(
  parent: Descriptor,
  below: readonly Descriptor[],
  { platforms = [], allMetadata = false, manifestLimit, first = [], layers }: ChildrenOptions,
): readonly ChosenChild[] {
  if (!isIndex(parent.mediaType)) {
    const taken = layers || !isManifest(parent.mediaType) ? below : below.slice(0, 1)
    return taken.map((descriptor) => ({ descriptor, layers }))
  }
  const chosen = new Set(chooseManifests(below, platforms))
  if (chosen.size === 0 && below.length > 0 && layers)
    throw noManifest(`index ${parent.digest}`, platforms, below)
  const others = allMetadata ? below.filter((descriptor) => !chosen.has(descriptor)) : []
  const preferred = first.length === 0 ? [] : chooseManifests([...chosen], first)
  return limited([...new Set([...preferred, ...chosen, ...others])], manifestLimit).map((descriptor) => ({
    descriptor,
    layers: layers && chosen.has(descriptor),
  }))
}

/** The first documents up to the limit, and all children that are no documents, such as parts of a checkpoint. */
function limited(
  descriptors: readonly Descriptor[],
  limit = Number.POSITIVE_INFINITY,
): readonly Descriptor[] {
  let documents = 0
  return descriptors.filter(({ mediaType }) => {
    if (isManifest(mediaType) || isIndex(mediaType)) documents += 1
    return documents <= limit || !(isManifest(mediaType) || isIndex(mediaType))
  })
}
