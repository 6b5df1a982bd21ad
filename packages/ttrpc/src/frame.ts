import { Code, ConnectError } from '@connectrpc/connect'

/** The most bytes of data in a frame (ttrpc 1.2, "Message Frame"). */
export const maxFrameBytes: number = 4 << 20

/** The bytes before the data: length, stream, type, flags. */
export const headerBytes = 10

/** Types of frames. All others are ignored, since later versions may have more. */
export const frameTypes = { request: 1, response: 2, data: 3 } as const

/** Bits of the flags. Those without a meaning for a type of frame are ignored. */
export const frameFlags = {
  /** The sender sends no more on the stream. */
  remoteClosed: 1,
  /** The sender will send more on the stream. */
  remoteOpen: 2,
  /** There is no message, in contrast to an empty one. */
  noData: 4,
} as const

/** One message on the wire. */
export interface Frame {
  /** Odd: only clients begin streams. */
  readonly streamId: number
  readonly type: number
  readonly flags: number
  readonly data: Uint8Array
  /** Whether it was too large, and its data was dropped. */
  readonly isTooLarge?: boolean | undefined
}

/** The bytes of a frame. @throws `resource_exhausted` for too much data */
export function encodeFrame({ streamId, type, flags, data }: Frame): Uint8Array {
  if (data.byteLength > maxFrameBytes) throw tooLarge(data.byteLength)
  const bytes = new Uint8Array(headerBytes + data.byteLength)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.byteLength)
  view.setUint32(4, streamId)
  view.setUint8(8, type)
  view.setUint8(9, flags)
  bytes.set(data, headerBytes)
  return bytes
}

/** The error for a message that is larger than a frame. */
export function tooLarge(bytes?: number): ConnectError {
  const what = bytes === undefined ? 'a message' : `a message of ${bytes} bytes`
  return new ConnectError(
    `${what}, at most ${maxFrameBytes} are allowed: resource exhausted`,
    Code.ResourceExhausted,
  )
}
