import { quoted } from '@nsbox/errors'
import * as v from 'valibot'
import { type Digest, digestAlgorithm, digestOf, isDigest } from './digest.ts'
import { fields, text, textMap, texts } from './field-schema.ts'
import { platformSchema } from './platform.ts'
import type { Json } from './strict-json.ts'
import { validate } from './validate.ts'

export const digestSchema = v.custom<Digest>(isDigest, ({ input }) => `invalid digest ${quoted(input)}`)

const isMediaType = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= 255 && /^[\x21-\x7e]+$/.test(value)

const mediaType = v.custom<string>(isMediaType, ({ input }) => `invalid media type ${quoted(input)}`)

/** The required fields of a descriptor. */
const required = {
  mediaType,
  digest: digestSchema,
  /** Bytes. */
  size: v.custom<number>(
    (value) => Number.isSafeInteger(value) && (value as number) >= 0,
    'not a number of bytes',
  ),
}

/** A descriptor in a JSON document; the digest of `data` is computed. */
export const descriptorSchema = v.pipe(
  fields({
    ...required,
    annotations: v.optional(textMap()),
    /** Other places that claim to have the content. Foreign addresses: credentials must never be sent to them. */
    urls: v.optional(texts()),
    platform: v.optional(platformSchema),
    artifactType: v.optional(
      v.pipe(
        v.custom<string>((value) => value === '' || isMediaType(value), 'not a media type'),
        v.transform((value) => value || undefined),
      ),
    ),
    /** The content itself in base64, verified to have this digest and size. */
    data: v.optional(text),
  }),
  v.check((descriptor) => isDataRight(descriptor), 'data is not the content'),
)

/** A pointer to content (OCI image specification, descriptor.md). */
export interface Descriptor extends v.InferOutput<typeof descriptorSchema> {}

/** The annotation that gives an image in an index its name. */
export const refNameAnnotation = 'org.opencontainers.image.ref.name'

/** The annotation with the whole name of an image in an index, used by containerd and Docker. */
export const imageNameAnnotation = 'io.containerd.image.name'

/**
 * Reads a descriptor from a JSON document.
 *
 * @param context names the descriptor in errors
 * @throws `invalid_argument` for an invalid media type or one with more than 255 characters, a digest that
 * `parseDigest` refuses, a size that is not a whole number of bytes, annotations beyond 256 Ki characters, `data` that
 * is not the content
 */
export function parseDescriptor(json: Json | undefined, context = 'descriptor'): Descriptor {
  return validate(descriptorSchema, json, context)
}

/**
 * Checks the three required fields of a descriptor that does not come from a JSON document.
 *
 * @throws `invalid_argument`
 */
export function assertDescriptor(
  value: { readonly mediaType: string; readonly digest: string; readonly size: number },
  context = 'descriptor',
): asserts value is Descriptor {
  validate(v.object(required), value, context)
}

function isDataRight(descriptor: { data?: string | undefined; digest: Digest; size: number }): boolean {
  const { data, digest, size } = descriptor
  if (data === undefined) return true
  const bytes = Buffer.from(data, 'base64')
  const isCanonical = bytes.toString('base64') === data
  return isCanonical && bytes.byteLength === size && digestOf(bytes, digestAlgorithm(digest)) === digest
}
