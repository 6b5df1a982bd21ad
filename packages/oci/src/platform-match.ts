import type { Descriptor } from './descriptor.ts'
import { normalizePlatform, type Platform } from './platform.ts'

/** How well a platform matches: 0 is best, higher is worse, undefined does not match. */
export type PlatformMatcher = (platform: Platform) => number | undefined

/**
 * Whether two platforms are the same after normalisation. Versions of the operating system are compared if both have
 * one, and then one may be more precise than the other; features are ignored (docs/threat-model.md B07).
 */
export function matchPlatform(platform: Platform, wanted: Platform): boolean {
  return areSame(normalizePlatform(platform), normalizePlatform(wanted))
}

/** `matchPlatform` for normalised platforms. */
function areSame(a: Platform, b: Platform): boolean {
  return (
    a.os === b.os &&
    a.architecture === b.architecture &&
    (a.variant ?? '') === (b.variant ?? '') &&
    versionsAgree(a.osVersion, b.osVersion)
  )
}

function versionsAgree(a: string | undefined, b: string | undefined): boolean {
  if (!a || !b) return true
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)
}

/**
 * Matches a platform and those that its processor can run as well, best first: lower variants of amd64, then 386; lower
 * variants of arm; for arm64 its base variant, then arm v8 down to v5.
 */
export function onlyPlatform(wanted: Platform): PlatformMatcher {
  const accepted = [wanted, ...fallbacks(normalizePlatform(wanted))].map(normalizePlatform)
  return (platform) => {
    const normal = normalizePlatform(platform)
    const rank = accepted.findIndex((candidate) => areSame(normal, candidate))
    return rank < 0 ? undefined : rank
  }
}

function fallbacks({ os, osVersion, architecture, variant }: Platform): Platform[] {
  const on = (architecture: string, variant?: string): Platform => ({ os, osVersion, architecture, variant })
  const level = /^v([1-9])$/.exec(variant ?? '')?.[1]
  const below = (from: number, to: number): string[] =>
    Array.from({ length: Math.max(0, from - to) }, (_, i) => `v${from - 1 - i}`)
  switch (architecture) {
    case 'amd64':
      return [...below(Number(level ?? 1), 1).map((v) => on('amd64', v)), on('386')]
    case 'arm':
      return level === undefined ? [] : below(Number(level), 5).map((v) => on('arm', v))
    case 'arm64':
      return [...(variant ? [on('arm64')] : []), ...below(9, 5).map((v) => on('arm', v))]
    default:
      return []
  }
}

/**
 * The matching manifests of an index, best first; equally good ones stay in the index's order. One without a platform
 * may match and comes last: only its config says.
 */
export function selectManifests(
  index: { readonly manifests: readonly Descriptor[] },
  matcher: PlatformMatcher,
): Descriptor[] {
  const ranked: { descriptor: Descriptor; rank: number }[] = []
  for (const descriptor of index.manifests) {
    const rank = descriptor.platform ? matcher(descriptor.platform) : Number.MAX_SAFE_INTEGER
    if (rank !== undefined) ranked.push({ descriptor, rank })
  }
  return ranked.sort((a, b) => a.rank - b.rank).map(({ descriptor }) => descriptor)
}
