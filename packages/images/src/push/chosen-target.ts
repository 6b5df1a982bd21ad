import { runYielding } from '@nsbox/concurrency'
import { type AbortOptions, type ContentReader, readBlob, readIndex } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import {
  type Descriptor,
  digestAlgorithm,
  digestOf,
  formatPlatform,
  isIndex,
  type JsonObject,
  maxDocumentSize,
  type Platform,
  strictJsonSteps,
} from '@nsbox/oci'
import { chooseManifests } from '../documents/choose-manifests.ts'

/** What to push of an image. */
export interface ChosenTarget {
  readonly descriptor: Descriptor
  /** An index that was made for the choice, which no store has: its bytes and what it lists. */
  readonly made?: { readonly bytes: Uint8Array; readonly manifests: readonly Descriptor[] } | undefined
}

/**
 * What to push for platforms: of an index the manifest of the only one, or an index of those of several, which has all
 * else of the image's. The image itself if no platform is given, if it is no index, and if its index has no others.
 *
 * @throws `not_found` naming a platform that the index has nothing for
 */
export async function chooseTarget(
  image: Descriptor,
  {
    content,
    platforms = [],
    signal,
  }: {
    readonly content: Pick<ContentReader, 'read'>
    readonly platforms?: readonly Platform[] | undefined
  } & AbortOptions,
): Promise<ChosenTarget> {
  if (platforms.length === 0 || !isIndex(image.mediaType)) return { descriptor: image }
  const { manifests } = await readIndex(content, image, { signal })
  const chosen = new Set<Descriptor>()
  for (const platform of platforms) {
    const [best] = chooseManifests(manifests, [platform])
    if (best === undefined)
      throw new NsboxError('not_found', `index ${image.digest}: no manifest for ${formatPlatform(platform)}`)
    chosen.add(best)
  }
  const [only] = chosen
  if (chosen.size === 1 && only !== undefined) return { descriptor: only }
  if (chosen.size === manifests.length) return { descriptor: image }
  const bytes = await readBlob(content, image, { limit: maxDocumentSize, signal })
  const whole = (await runYielding(strictJsonSteps(bytes, `index ${image.digest}`), { signal })) as JsonObject
  const listed = whole.manifests as readonly unknown[]
  const kept = listed.filter((_, position) => chosen.has(manifests[position]!))
  const made = Buffer.from(JSON.stringify({ ...whole, manifests: kept }))
  const descriptor = {
    mediaType: image.mediaType,
    digest: digestOf(made, digestAlgorithm(image.digest)),
    size: made.length,
  }
  return { descriptor, made: { bytes: made, manifests: manifests.filter((each) => chosen.has(each)) } }
}
