import { type DescMethod, type DescMethodUnary, type Message, toBinary } from '@bufbuild/protobuf'
import { type Code, ConnectError, type Transport } from '@connectrpc/connect'

/** What came of a call. */
export interface Outcome {
  readonly code: Code | 'ok'
  readonly text: string
  /** The received bytes, as text. */
  readonly bytes: string
}

export async function outcomeOf(
  work: () => Promise<unknown>,
  bytes: () => string = () => '',
): Promise<Outcome> {
  try {
    await work()
    return { code: 'ok', text: '', bytes: bytes() }
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error)
    return { code, text: rawMessage, bytes: bytes() }
  }
}

/** Calls any method, with one request. @param waits whether it gets no answer, which is not waited for long then */
export async function callAny(
  transport: Transport,
  method: DescMethod,
  request: Record<string, unknown>,
  namespace: string | undefined,
  waits = false,
): Promise<Outcome> {
  const headers = namespace === undefined ? {} : { 'containerd-namespace': namespace }
  const came: string[] = []
  const take = (message: Message) =>
    came.push(Buffer.from(toBinary(method.output, message)).toString('latin1'))
  const timeout = waits ? 100 : 20_000
  const work = async () => {
    if (method.methodKind === 'unary') {
      const unary = method as DescMethodUnary
      take((await transport.unary(unary, undefined, timeout, headers, request)).message)
      return
    }
    const { message } = await transport.stream(
      method as never,
      undefined,
      timeout,
      headers,
      (async function* () {
        yield request
      })() as never,
    )
    for await (const each of message) take(each)
  }
  return await outcomeOf(work, () => came.join(''))
}
