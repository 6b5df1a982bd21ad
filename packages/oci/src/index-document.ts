import * as v from 'valibot'
import { type Descriptor, descriptorSchema } from './descriptor.ts'
import { type CommonFields, commonFields, maxDescriptors, openDocument, otherKind } from './document.ts'
import { entries, fields } from './field-schema.ts'
import { isIndex } from './media-type.ts'
import { finish, type Steps } from './steps.ts'
import { validateEachSteps } from './validate.ts'

/** A list of manifests, usually one for each platform (OCI image specification, image-index.md). */
export interface Index extends CommonFields {
  readonly manifests: readonly Descriptor[]
}

const schema = fields({
  ...commonFields,
  manifests: v.optional(entries(maxDescriptors), []),
  config: otherKind,
  layers: otherKind,
  fsLayers: otherKind,
})

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
  const context = `index ${descriptor.digest}`
  const opened = yield* openDocument(bytes, descriptor, { context, isExpected: isIndex, schema })
  const { schemaVersion: _, manifests, ...rest } = opened
  return {
    ...rest,
    mediaType: descriptor.mediaType,
    manifests: yield* validateEachSteps(descriptorSchema, manifests, context, 'manifests'),
  }
}
