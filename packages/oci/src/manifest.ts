import * as v from 'valibot'
import { type Descriptor, descriptorSchema } from './descriptor.ts'
import { type CommonFields, commonFields, maxDescriptors, openDocument, otherKind } from './document.ts'
import { entries, fields } from './field-schema.ts'
import { isManifest } from './media-type.ts'
import { finish, type Steps } from './steps.ts'
import { validateEachSteps } from './validate.ts'

/** An image of one platform, or an artifact: a config and layers (OCI image specification, manifest.md). */
export interface Manifest extends CommonFields {
  readonly config: Descriptor
  /** Lowest first. */
  readonly layers: readonly Descriptor[]
}

const schema = fields({
  ...commonFields,
  config: descriptorSchema,
  layers: v.optional(entries(maxDescriptors), []),
  manifests: otherKind,
  fsLayers: otherKind,
})

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
  const context = `manifest ${descriptor.digest}`
  const opened = yield* openDocument(bytes, descriptor, { context, isExpected: isManifest, schema })
  const { schemaVersion: _, layers, ...rest } = opened
  return {
    ...rest,
    mediaType: descriptor.mediaType,
    layers: yield* validateEachSteps(descriptorSchema, layers, context, 'layers'),
  }
}
