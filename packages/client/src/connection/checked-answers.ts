import type { DescMessage, DescMethod } from '@bufbuild/protobuf'
import type { UniversalClientFn } from '@connectrpc/connect/protocol'
import { countFields, messageLimit } from '@nsbox/api'
import { isNsboxError, NsboxError } from '@nsbox/errors'

/** Flags and length, before each message of gRPC. */
const headBytes = 5

/** The types of answers, by the path of the method. */
export class AnswerTypes {
  readonly #types = new Map<string, DescMessage>()

  /** To be called before a method is. */
  note({ parent, name, output }: DescMethod): void {
    this.#types.set(`/${parent.typeName}/${name}`, output)
  }

  of(url: string): DescMessage | undefined {
    return this.#types.get(new URL(url).pathname)
  }
}

/**
 * Checks the messages of answers before they are decoded: their size, by the fields of their type, and the number of
 * their fields. So a server that is not trusted can neither fill the memory nor hold the event loop by one message.
 *
 * @returns a client whose bodies fail with `data_loss` at a message that is too large or malformed
 */
export function checkAnswers(client: UniversalClientFn, types: AnswerTypes): UniversalClientFn {
  return async (request) => {
    const type = types.of(request.url)
    if (type === undefined) throw new TypeError(`no type of answers of ${request.url}`)
    const response = await client(request)
    return { ...response, body: checked(response.body, type) }
  }
}

/** The same bytes, one message after the other. */
async function* checked(
  body: AsyncIterable<Uint8Array>,
  type: DescMessage,
): AsyncGenerator<Uint8Array, void, undefined> {
  const limit = messageLimit(type)
  let waiting: Uint8Array[] = []
  let size = 0
  let needed = headBytes
  for await (const piece of body) {
    waiting.push(piece)
    size += piece.byteLength
    while (size >= needed) {
      const bytes = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting)
      needed = headBytes + lengthIn(bytes, type, limit)
      waiting = [bytes]
      if (size < needed) break
      check(type, bytes.subarray(headBytes, needed))
      yield bytes.subarray(0, needed)
      waiting = [bytes.subarray(needed)]
      size -= needed
      needed = headBytes
    }
  }
  // What is cut off is told by whoever decodes it.
  yield* waiting
}

function lengthIn(bytes: Uint8Array, { typeName }: DescMessage, limit: number): number {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
  if (length > limit)
    throw new NsboxError('data_loss', `message ${typeName} of ${length} bytes, more than ${limit}`)
  return length
}

function check(type: DescMessage, message: Uint8Array): void {
  try {
    countFields(type, message)
  } catch (error) {
    throw isNsboxError(error) ? new NsboxError('data_loss', error.context, { cause: error }) : error
  }
}
