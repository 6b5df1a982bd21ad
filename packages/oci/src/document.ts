import { NsboxError } from '@nsbox/errors'
import type { Descriptor } from './descriptor.ts'
import { type JsonFields, jsonFields } from './json-fields.ts'
import { isDockerSchema1 } from './media-type.ts'
import { quoted } from './quoted.ts'
import type { Steps } from './steps.ts'
import { strictJsonSteps } from './strict-json.ts'

/** Most bytes that a manifest, index or image config may have: 4 MiB. */
export const maxDocumentSize = 4 * 1024 * 1024

/** Most descriptors that one manifest or index may list. */
export const maxDescriptors = 10_000

/** The fields by which a manifest, an index and Docker's schema 1 differ. */
const telling = ['config', 'layers', 'manifests', 'fsLayers']

/**
 * Parses, in steps, a manifest or index whose digest has been verified.
 *
 * @param kind `manifest` or `index`, for the error
 * @param isExpected which media types the descriptor may have
 * @param own which of these fields belong to this kind; the others must be absent (docs/threat-model.md B01)
 * @throws `invalid_argument`, naming the digest
 */
export function* openDocument(
  bytes: Uint8Array,
  { mediaType, digest }: Pick<Descriptor, 'mediaType' | 'digest'>,
  options: { kind: string; isExpected: (mediaType: string) => boolean; known: readonly string[] },
): Steps<JsonFields> {
  const context = `${options.kind} ${digest}`
  if (!options.isExpected(mediaType)) {
    const why = isDockerSchema1(mediaType) ? ', which is no longer supported' : ''
    throw new NsboxError('invalid_argument', `${context}: has media type ${quoted(mediaType)}${why}`)
  }
  if (bytes.byteLength > maxDocumentSize)
    throw new NsboxError('invalid_argument', `${context}: more than ${maxDocumentSize} bytes`)
  const fields = jsonFields(yield* strictJsonSteps(bytes, context), context, [
    ...new Set([...options.known, ...telling]),
  ])
  for (const name of telling) {
    if (!options.known.includes(name) && fields.has(name))
      throw fields.refuse(`has a "${name}" field, so it could be read as something else`)
  }
  const stated = fields.string('mediaType')
  if (stated !== undefined && stated !== '' && stated !== mediaType)
    throw fields.refuse(`says media type ${quoted(stated)}, its descriptor ${quoted(mediaType)}`)
  const version = fields.number('schemaVersion')
  if (version !== undefined && version !== 2) throw fields.refuse(`schema version ${version}`)
  return fields
}
