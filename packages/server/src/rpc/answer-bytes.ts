import { type DescMethod, ScalarType } from '@bufbuild/protobuf'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'

/** An answer that has all of a list in one message. */
const listBytes = 4 << 20

/** A list that comes in parts: the one that is sent, and the one that is made meanwhile. */
const partsBytes = 2 << 20

/** Pieces of a blob, likewise. */
const piecesBytes = 512 << 10

/**
 * How much memory the answers of a method are taken to need while they are made and sent; 0 for those that are small, and
 * for those that mostly wait for something to happen.
 */
export function answerBytes(method: DescMethod): number {
  const { fields } = method.output
  if (method.methodKind === 'unary') {
    return fields.some((field) => field.fieldKind === 'list' && field.listKind === 'message') ? listBytes : 0
  }
  if (method === Events.method.subscribe || method.methodKind !== 'server_streaming') return 0
  if (fields.some((field) => field.fieldKind === 'scalar' && field.scalar === ScalarType.BYTES))
    return piecesBytes
  return fields.some((field) => field.message !== undefined) ? partsBytes : 0
}
