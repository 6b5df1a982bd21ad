import { type DescMethod, ScalarType } from '@bufbuild/protobuf'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'

/** Bytes reserved for a whole list in one message. */
const listBytes = 4 << 20

/** Bytes for a streamed list: one part that is sent, and one that is made meanwhile. */
const partsBytes = 2 << 20

/** Bytes for pieces of a blob, likewise. */
const piecesBytes = 512 << 10

/**
 * How much memory to reserve for the answers of a method while they are made and sent; 0 for small ones, and for
 * streams that mostly wait.
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
