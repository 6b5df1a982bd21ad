import type { UniversalServerResponse } from '@connectrpc/connect/protocol'
import { NsboxError } from '@nsbox/errors'
import type { HeldBytes } from './byte-quota.ts'
import type { NodeResponse } from './node-request.ts'

/**
 * Sends the answer to a call, no faster than the client reads it. A client that disconnects ends the answer's source,
 * even while its next piece is awaited, where connect-node's writer would wait for ever.
 *
 * @throws the error of the source; `canceled` if the client disconnected
 */
export async function sendAnswer(
  answer: UniversalServerResponse,
  response: NodeResponse,
  space: Pick<HeldBytes, 'touch'>,
): Promise<void> {
  const source = answer.body?.[Symbol.asyncIterator]()
  try {
    let piece = await source?.next()
    // Headers may change until the first piece.
    response.writeHead(answer.status, Object.fromEntries(answer.header ?? []))
    while (piece !== undefined && piece.done !== true) {
      space.touch()
      await write(response, piece.value)
      piece = await source?.next()
    }
    response.addTrailers(Object.fromEntries(answer.trailer ?? []))
    response.end()
  } finally {
    await source?.return?.()
  }
}

function write(response: NodeResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (isGone(response)) return reject(gone())
    // The callback of `write` reports nothing after the client has disconnected, so events are used.
    if ((response as { write(bytes: Uint8Array): boolean }).write(bytes)) return resolve()
    const settle = (action: () => void) => {
      response.off('drain', onDrain)
      response.off('close', onClose)
      action()
    }
    const onDrain = () => settle(resolve)
    const onClose = () => settle(() => reject(gone()))
    response.on('drain', onDrain)
    response.on('close', onClose)
  })
}

function isGone(response: NodeResponse): boolean {
  return 'stream' in response ? response.stream.destroyed || response.stream.closed : response.destroyed
}

function gone(): NsboxError {
  return new NsboxError('canceled', 'the client went away')
}
