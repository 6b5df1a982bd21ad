import { type Descriptor, descriptorFields, descriptorFrom, descriptorsSteps } from './descriptor.ts'
import { maxDescriptors, openDocument } from './document.ts'
import { isIndex } from './media-type.ts'
import { finish, type Steps } from './steps.ts'

/** A list of manifests, usually one for each platform (OCI image specification, image-index.md). */
export interface Index {
  readonly mediaType: string
  readonly artifactType?: string | undefined
  readonly manifests: readonly Descriptor[]
  readonly subject?: Descriptor | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

const known = ['schemaVersion', 'mediaType', 'artifactType', 'manifests', 'subject', 'annotations']

/**
 * Reads an OCI index or Docker manifest list whose bytes have been checked against their digest.
 *
 * @throws `invalid_argument`, naming the digest: beyond `maxDocumentSize` or `maxDescriptors`, not strict JSON, another
 * media type than the descriptor's, also readable as a manifest, a bad descriptor in it
 */
export function parseIndex(bytes: Uint8Array, descriptor: Pick<Descriptor, 'mediaType' | 'digest'>): Index {
  return finish(indexSteps(bytes, descriptor))
}

/** `parseIndex` in steps. */
export function* indexSteps(
  bytes: Uint8Array,
  descriptor: Pick<Descriptor, 'mediaType' | 'digest'>,
): Steps<Index> {
  const fields = yield* openDocument(bytes, descriptor, { kind: 'index', isExpected: isIndex, known })
  const manifests = yield* descriptorsSteps(
    fields.objects('manifests', descriptorFields, maxDescriptors) ?? [],
  )
  const artifactType = fields.string('artifactType')
  const subject = fields.object('subject', descriptorFields)
  const annotations = fields.stringMap('annotations')
  return {
    mediaType: descriptor.mediaType,
    ...(artifactType && { artifactType }),
    manifests,
    ...(subject && { subject: descriptorFrom(subject) }),
    ...(annotations && { annotations }),
  }
}
