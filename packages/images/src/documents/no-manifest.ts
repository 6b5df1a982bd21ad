import { NsboxError, shownName } from '@nsbox/errors'
import { type Descriptor, formatPlatform, type Platform } from '@nsbox/oci'

/** The most platforms of an index that an error names. */
const shownPlatforms = 12

/** What BuildKit gives its attestations, which nothing runs. */
const ofAttestations = 'unknown/unknown'

/**
 * The error of an index that has no manifest for the chosen platforms: it names them, and those that there are.
 * @param subject the index, in words
 */
export function noManifest(
  subject: string,
  wanted: readonly Platform[],
  offered: readonly Descriptor[],
): NsboxError {
  const named = offered.flatMap(({ platform }) => (platform ? [nameOf(platform)] : []))
  const there = [...new Set(named)].filter((name) => name !== ofAttestations)
  const more = there.length > shownPlatforms ? ` and ${there.length - shownPlatforms} more` : ''
  const list = there.slice(0, shownPlatforms).join(', ') || 'none that it names'
  const missing = [...new Set(wanted.map(nameOf))].join(', ')
  return new NsboxError('not_found', `${subject}: no manifest for ${missing}; there are: ${list}${more}`)
}

/** Each part may have 255 characters, of any kind. */
const nameOf = (platform: Platform) => shownName(formatPlatform(platform))
