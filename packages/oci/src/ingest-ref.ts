import { type Descriptor, refNameAnnotation } from './descriptor.ts'
import { isAttestation, isConfig, isIndex, isLayer, isManifest } from './media-type.ts'

const kinds: readonly (readonly [string, (mediaType: string) => boolean])[] = [
  ['manifest', isManifest],
  ['index', isIndex],
  ['layer', isLayer],
  ['config', isConfig],
  ['attestation', isAttestation],
]

/**
 * The name under which a pull ingests a blob (docs/behaviour.md §3): every client that pulls it chooses the same, so
 * one continues where another was interrupted.
 */
export function ingestRef({
  mediaType,
  digest,
  annotations,
}: Pick<Descriptor, 'mediaType' | 'digest' | 'annotations'>): string {
  const kind = kinds.find(([, is]) => is(mediaType))?.[0] ?? 'unknown'
  const name =
    annotations && Object.hasOwn(annotations, refNameAnnotation) ? annotations[refNameAnnotation] : undefined
  return name === undefined ? `${kind}-${digest}` : `${kind}-${name}@${digest}`
}
