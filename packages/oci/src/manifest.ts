import { type Descriptor, descriptorFields, descriptorFrom, descriptorsSteps } from './descriptor.ts'
import { maxDescriptors, openDocument } from './document.ts'
import { isManifest } from './media-type.ts'
import { finish, type Steps } from './steps.ts'

/** An image of one platform, or an artifact: a config and layers (OCI image specification, manifest.md). */
export interface Manifest {
  readonly mediaType: string
  readonly artifactType?: string | undefined
  readonly config: Descriptor
  /** Lowest first. */
  readonly layers: readonly Descriptor[]
  readonly subject?: Descriptor | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

const known = ['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'subject', 'annotations']

/**
 * Reads a manifest of OCI or Docker whose bytes have been checked against their digest.
 *
 * @throws `invalid_argument`, naming the digest: beyond `maxDocumentSize` or `maxDescriptors`, not strict JSON, another
 * media type than the descriptor's, also readable as an index, a bad descriptor in it
 */
export function parseManifest(
  bytes: Uint8Array,
  descriptor: Pick<Descriptor, 'mediaType' | 'digest'>,
): Manifest {
  return finish(manifestSteps(bytes, descriptor))
}

/** `parseManifest` in steps. */
export function* manifestSteps(
  bytes: Uint8Array,
  descriptor: Pick<Descriptor, 'mediaType' | 'digest'>,
): Steps<Manifest> {
  const fields = yield* openDocument(bytes, descriptor, { kind: 'manifest', isExpected: isManifest, known })
  const config = fields.object('config', descriptorFields)
  if (config === undefined) throw fields.refuse('has no config')
  const layers = yield* descriptorsSteps(fields.objects('layers', descriptorFields, maxDescriptors) ?? [])
  const artifactType = fields.string('artifactType')
  const subject = fields.object('subject', descriptorFields)
  const annotations = fields.stringMap('annotations')
  return {
    mediaType: descriptor.mediaType,
    ...(artifactType && { artifactType }),
    config: descriptorFrom(config),
    layers,
    ...(subject && { subject: descriptorFrom(subject) }),
    ...(annotations && { annotations }),
  }
}
