import type { Descriptor } from './descriptor.ts'
import type { Digest } from './digest.ts'
import { labelKeys } from './label.ts'
import { isConfig, isIndex, isLayer, isManifest } from './media-type.ts'

/**
 * The labels that a manifest or index gets so that the collector finds its children: `….m.<n>` manifests and
 * indexes, `….config`, `….l.<n>` layers, `….<n>` everything else, each kind counted from 0 in the order given.
 */
export function childGcLabels(
  children: readonly Pick<Descriptor, 'mediaType' | 'digest'>[],
): Record<string, Digest> {
  const labels: Record<string, Digest> = {}
  const counts = new Map<string, number>()
  for (const { mediaType, digest } of children) {
    const prefix = `${labelKeys.gcRefContent}.${childKind(mediaType)}`
    const n = counts.get(prefix) ?? 0
    counts.set(prefix, n + 1)
    // The first config has no number. Further ones, which should not exist, have one.
    labels[prefix.endsWith('.') || n > 0 ? `${prefix}${n}` : prefix] = digest
  }
  return labels
}

function childKind(mediaType: string): string {
  if (isConfig(mediaType)) return 'config'
  if (isManifest(mediaType) || isIndex(mediaType)) return 'm.'
  return isLayer(mediaType) ? 'l.' : ''
}
