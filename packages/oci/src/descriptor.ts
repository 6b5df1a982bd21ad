import { NsboxError } from '@nsbox/errors'
import { type Digest, digestAlgorithm, digestOf, isDigest } from './digest.ts'
import { type JsonFields, jsonFields } from './json-fields.ts'
import { type Platform, platformFields, platformFrom } from './platform.ts'
import { quoted } from './quoted.ts'
import type { Steps } from './steps.ts'
import type { Json } from './strict-json.ts'

/** A pointer to content (OCI image specification, descriptor.md). */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** Other places that claim to have the content. Foreign addresses: never to be sent credentials. */
  readonly urls?: readonly string[] | undefined
  readonly platform?: Platform | undefined
  readonly artifactType?: string | undefined
  /** The content itself in base64; proven to have this digest and size. */
  readonly data?: string | undefined
}

/** The annotation that gives an image in an index its name. */
export const refNameAnnotation = 'org.opencontainers.image.ref.name'

/** The annotation by which containerd and Docker give an image in an index its whole name. */
export const imageNameAnnotation = 'io.containerd.image.name'

export const descriptorFields = [
  'mediaType',
  'digest',
  'size',
  'annotations',
  'urls',
  'platform',
  'artifactType',
  'data',
]

/**
 * Reads a descriptor from a JSON document.
 *
 * @param context what the descriptor is, for the error
 * @throws `invalid_argument` for a media type that is not one or has more than 255 characters, a digest that
 * `parseDigest` refuses, a size that is not a whole number of bytes, annotations beyond 256 Ki characters, `data` that
 * is not the content
 */
export function parseDescriptor(json: Json | undefined, context = 'descriptor'): Descriptor {
  return descriptorFrom(jsonFields(json, context, descriptorFields))
}

/** How many descriptors one step reads. */
const descriptorsPerStep = 50

/** Reads an array of descriptors, in steps. */
export function* descriptorsSteps(entries: Iterable<JsonFields>): Steps<Descriptor[]> {
  const descriptors: Descriptor[] = []
  for (const fields of entries) {
    descriptors.push(descriptorFrom(fields))
    if (descriptors.length % descriptorsPerStep === 0) yield
  }
  return descriptors
}

/** `parseDescriptor` on fields that have been read already. */
export function descriptorFrom(fields: JsonFields): Descriptor {
  const mediaType = fields.string('mediaType')
  if (!isMediaType(mediaType)) throw fields.refuse(`invalid media type ${quoted(mediaType)}`)
  const digest = fields.string('digest')
  if (!isDigest(digest)) throw fields.refuse(`invalid digest ${quoted(digest)}`)
  const size = fields.number('size')
  if (!isSize(size)) throw fields.refuse(`invalid size ${size} of ${digest}`)
  const artifactType = fields.string('artifactType')
  if (artifactType !== undefined && artifactType !== '' && !isMediaType(artifactType))
    throw fields.refuse(`invalid artifact type ${quoted(artifactType)}`)
  const data = fields.string('data', Number.POSITIVE_INFINITY)
  if (data !== undefined && !isDataOf(data, { digest, size }))
    throw fields.refuse(`data is not that of ${digest}`)
  const platform = fields.object('platform', platformFields)
  const annotations = fields.stringMap('annotations')
  const urls = fields.strings('urls')
  return {
    mediaType,
    digest,
    size,
    ...(annotations && { annotations }),
    ...(urls && { urls }),
    ...(platform && { platform: platformFrom(platform) }),
    ...(artifactType && { artifactType }),
    ...(data !== undefined && { data }),
  }
}

/**
 * Checks the three fields that every descriptor must have, for one that did not come from a JSON document.
 *
 * @throws `invalid_argument`
 */
export function assertDescriptor(
  value: { readonly mediaType: string; readonly digest: string; readonly size: number },
  context = 'descriptor',
): asserts value is Descriptor {
  const { mediaType, digest, size } = value
  const refuse = (why: string): never => {
    throw new NsboxError('invalid_argument', `${context}: ${why}`)
  }
  if (!isMediaType(mediaType)) refuse(`invalid media type ${quoted(mediaType)}`)
  if (!isDigest(digest)) refuse(`invalid digest ${quoted(digest)}`)
  if (!isSize(size)) refuse(`invalid size ${size} of ${digest}`)
}

const isMediaType = (text: string | undefined): text is string =>
  text !== undefined && text.length <= 255 && /^[\x21-\x7e]+$/.test(text)

const isSize = (size: number | undefined): size is number =>
  Number.isSafeInteger(size) && (size as number) >= 0

function isDataOf(data: string, { digest, size }: Pick<Descriptor, 'digest' | 'size'>): boolean {
  const bytes = decodeBase64(data)
  return bytes?.byteLength === size && digestOf(bytes, digestAlgorithm(digest)) === digest
}

/** Undefined for what is not canonical base64. */
function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
