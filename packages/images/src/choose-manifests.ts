import { type Descriptor, onlyPlatform, type Platform, selectManifests } from '@nsbox/oci'

/**
 * Of an index's manifests, the best for each platform, once each; all of them if no platform is given.
 */
export function chooseManifests(
  manifests: readonly Descriptor[],
  platforms: readonly Platform[],
): readonly Descriptor[] {
  if (platforms.length === 0) return manifests
  const chosen = new Set<Descriptor>()
  for (const platform of platforms) {
    const [best] = selectManifests({ manifests }, onlyPlatform(platform))
    if (best !== undefined) chosen.add(best)
  }
  return [...chosen]
}
