import {
  type Descriptor,
  isIndex,
  isManifest,
  onlyPlatform,
  type Platform,
  selectManifests,
} from '@nsbox/oci'

/**
 * Of what an index lists, the best manifest for each platform, once each; all of them if no platform is given. What is
 * no manifest, such as the parts of a checkpoint, belongs to every platform.
 */
export function chooseManifests(
  manifests: readonly Descriptor[],
  platforms: readonly Platform[],
): readonly Descriptor[] {
  if (platforms.length === 0) return manifests
  const isDocument = ({ mediaType }: Descriptor) => isManifest(mediaType) || isIndex(mediaType)
  const documents = manifests.filter(isDocument)
  const chosen = new Set<Descriptor>()
  for (const platform of platforms) {
    const [best] = selectManifests({ manifests: documents }, onlyPlatform(platform))
    if (best !== undefined) chosen.add(best)
  }
  return [...chosen, ...manifests.filter((each) => !isDocument(each))]
}
