import {
  create,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf'
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt'
import { NsboxError } from '@nsbox/errors'
import { decodeMessage } from './decode-message.ts'

const googlePrefix = 'type.googleapis.com/'

/** The fields of an Any. */
export type AnyLike = Pick<Any, 'typeUrl' | 'value'>

/**
 * Packs a message, or the fields to make one, into an Any whose type URL is the bare message name, as clients
 * of containerd expect.
 */
export function packAny<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>): Any {
  return create(AnySchema, {
    typeUrl: schema.typeName,
    value: toBinary(schema, create(schema, message)),
  })
}

/**
 * The name of the type in an Any: its type URL, without `type.googleapis.com/` where that precedes it. Every
 * other URL is a name as a whole, such as `types.containerd.io/opencontainers/runtime-spec/1/Spec`, whose
 * value is JSON and no message.
 */
export function typeName(any: Pick<Any, 'typeUrl'>): string {
  return any.typeUrl.startsWith(googlePrefix) ? any.typeUrl.slice(googlePrefix.length) : any.typeUrl
}

/**
 * The message in an Any that must have the given type. Unknown fields are kept, so that the caller can refuse them.
 *
 * @throws invalid_argument if it holds another type, or bytes that are no message of this type; resource_exhausted for
 * more fields than a message may have
 */
export function unpackAny<Desc extends DescMessage>(schema: Desc, any: AnyLike): MessageShape<Desc> {
  const name = typeName(any)
  if (name !== schema.typeName) {
    throw new NsboxError(
      'invalid_argument',
      `expected a message ${schema.typeName}, got ${JSON.stringify(name)}`,
    )
  }
  return decodeMessage(schema, any.value, { unknown: true })
}
