import type { MessageShape } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import type { KeyValueSchema } from '@nsbox/api/gen/ttrpc/request_pb'

type KeyValue = Pick<MessageShape<typeof KeyValueSchema>, 'key' | 'value'>

/** Headers as the metadata of a request. */
export function toMetadata(headers: Headers): KeyValue[] {
  return [...headers].map(([key, value]) => ({ key, value }))
}

/** The metadata of a request as headers. @throws `invalid_argument` for an invalid header */
export function fromMetadata(metadata: readonly KeyValue[]): Headers {
  const headers = new Headers()
  for (const { key, value } of metadata)
    try {
      headers.append(key, value)
    } catch (cause) {
      const message = `metadata ${JSON.stringify(key.slice(0, 64))}: invalid argument`
      throw new ConnectError(message, Code.InvalidArgument, undefined, undefined, cause)
    }
  return headers
}
