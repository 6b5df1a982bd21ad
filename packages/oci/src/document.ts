import { quoted } from '@nsbox/errors'
import * as v from 'valibot'
import { type Descriptor, descriptorSchema } from './descriptor.ts'
import { optionalText, textMap } from './field-schema.ts'
import { isDockerSchema1 } from './media-type.ts'
import type { Steps } from './steps.ts'
import { strictJsonSteps } from './strict-json.ts'
import { refuse, validate } from './validate.ts'

/** Most bytes of a manifest, index or image config: 4 MiB. */
export const maxDocumentSize = 4 * 1024 * 1024

/** Most descriptors of one manifest or index. */
export const maxDescriptors = 10_000

const common = {
  artifactType: optionalText(),
  subject: v.optional(descriptorSchema),
  annotations: v.optional(textMap()),
}

/** The common fields of manifests and indexes. */
export interface CommonFields extends Readonly<v.InferOutput<v.ObjectSchema<typeof common, undefined>>> {
  readonly mediaType: string
}

/** Their schemas. */
export const commonFields = {
  ...common,
  schemaVersion: v.optional(v.literal(2, 'not 2')),
  mediaType: optionalText(),
}

/** A field of another kind of document, which must be absent (docs/threat-model.md B01). */
export const otherKind = v.optional(v.never('is of another kind of document'))

/**
 * Reads, in steps, strict JSON that fits a schema.
 * @throws `invalid_argument`, also beyond `maxDocumentSize`
 */
export function* documentSteps<const S extends v.GenericSchema>(
  bytes: Uint8Array,
  schema: S,
  context: string,
): Steps<v.InferOutput<S>> {
  if (bytes.byteLength > maxDocumentSize) throw refuse(context, `more than ${maxDocumentSize} bytes`)
  const json = yield* strictJsonSteps(bytes, context)
  yield
  return validate(schema, json, context)
}

/**
 * Parses, in steps, a manifest or index whose digest has been verified.
 *
 * @param context names it in errors
 * @param isExpected whether the descriptor may have a media type
 * @throws `invalid_argument`, naming the digest
 */
export function* openDocument<const S extends v.GenericSchema<unknown, { mediaType?: string | undefined }>>(
  bytes: Uint8Array,
  { mediaType }: Pick<Descriptor, 'mediaType'>,
  options: { context: string; isExpected: (mediaType: string) => boolean; schema: S },
): Steps<v.InferOutput<S>> {
  const { context, isExpected, schema } = options
  if (!isExpected(mediaType)) {
    const why = isDockerSchema1(mediaType) ? ', which is no longer supported' : ''
    throw refuse(context, `has media type ${quoted(mediaType)}${why}`)
  }
  const document = yield* documentSteps(bytes, schema, context)
  if (document.mediaType !== undefined && document.mediaType !== mediaType)
    throw refuse(
      context,
      `says media type ${quoted(document.mediaType)}, its descriptor ${quoted(mediaType)}`,
    )
  return document
}
