import type { DescMessage, Message } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { countFields, decodeMessage } from '@nsbox/api'
import { errorCode, type NsboxError } from '@nsbox/errors'
import type { Holder, MessageOwner } from './message-reader.ts'

/** Approximate bytes of a field in memory. */
const fieldBytes = 256

/** Smaller messages have so few fields that they need not be counted. */
const smallBytes = 256

/** Approximate bytes of a message in memory. */
export function decodedBytes(bytes: Uint8Array, fields: number): number {
  return bytes.length + fieldBytes * fields
}

/**
 * Decodes a request.
 *
 * @param held takes the message's part of the budgets
 * @throws `internal` for bytes that do not decode; `resource_exhausted` for too many fields
 */
export async function parseMessage(
  schema: DescMessage,
  bytes: Uint8Array,
  owner: MessageOwner,
  held: Holder,
): Promise<Message> {
  try {
    if (bytes.length > smallBytes) {
      const { connection, budgets, signal } = owner
      const size = decodedBytes(bytes, countFields(schema, bytes))
      held.use(await budgets.decoded.wait(connection, size, (reason) => owner.abort(reason), signal))
    }
    return decodeMessage(schema, bytes)
  } catch (error) {
    if (errorCode(error) !== 'invalid_argument') throw error
    throw new ConnectError(
      `parse binary: ${(error as NsboxError).context}`,
      Code.Internal,
      undefined,
      undefined,
      error,
    )
  }
}
