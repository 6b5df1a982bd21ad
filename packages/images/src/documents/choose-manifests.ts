import {
  type Descriptor,
  isIndex,
  isManifest,
  onlyPlatform,
  type Platform,
  selectManifests,
} from '@nsbox/oci'

/**
 * The best manifest of an index for each platform, each once; all of them if no platform is given. Children that are no
 * manifests, such as parts of a checkpoint, belong to every platform.
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
