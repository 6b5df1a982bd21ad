import { once } from 'node:events'
import { connect } from 'node:net'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { RequestSchema, ResponseSchema } from '@nsbox/api/gen/ttrpc/request_pb'
import { encodeFrame, type Frame } from '../frame.ts'
import { readFrames } from '../read-frames.ts'

/** A connection that can send any bytes. */
export interface RawConnection extends Disposable {
  /** @param onSent called when the kernel has taken all */
  send(bytes: Uint8Array, onSent?: () => void): void
  /** The next frame of the server. */
  next(): Promise<Frame>
  /** The status in the server's next frame: its code, 0 for success. */
  code(): Promise<{ readonly streamId: number; readonly code: number }>
  readonly closed: Promise<unknown>
}

export async function rawConnection(path: string): Promise<RawConnection> {
  const socket = connect(path)
  await once(socket, 'connect')
  const closed = once(socket, 'close')
  const frames = readFrames(socket)
  const next = async () => {
    const { value } = await frames.next()
    if (value === undefined) throw new Error('the server has closed the connection')
    return value
  }
  return {
    send: (bytes, onSent) => void socket.write(bytes, onSent),
    next,
    async code() {
      const { streamId, data } = await next()
      return { streamId, code: fromBinary(ResponseSchema, data).status?.code ?? 0 }
    },
    closed,
    [Symbol.dispose]: () => socket.destroy(),
  }
}

/** A frame that begins a call. */
export function requestFrame(
  streamId: number,
  request: MessageInitShape<typeof RequestSchema>,
  flags = 0,
): Uint8Array {
  return encodeFrame({
    streamId,
    type: 1,
    flags,
    data: toBinary(RequestSchema, create(RequestSchema, request)),
  })
}
