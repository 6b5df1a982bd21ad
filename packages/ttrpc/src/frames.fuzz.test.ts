import { fuzz, mutatedBytes } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { encodeFrame, type Frame, headerBytes, maxFrameBytes } from './frame.ts'
import { readFrames } from './read-frames.ts'
import { requestFrame } from './testing/raw-connection.ts'

const samples = [
  requestFrame(1, {
    service: 'containerd.task.v2.Task',
    method: 'State',
    payload: new Uint8Array([10, 1, 97]),
  }),
  Buffer.concat([
    encodeFrame({ streamId: 3, type: 3, flags: 5, data: new Uint8Array() }),
    encodeFrame({ streamId: 3, type: 2, flags: 0, data: new Uint8Array(64).fill(7) }),
  ]),
]

async function* pieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield bytes.subarray(at, cut)
    at = Math.max(at, cut)
  }
  yield bytes.subarray(at)
}

async function framesOf(bytes: AsyncIterable<Uint8Array>): Promise<Frame[]> {
  const frames: Frame[] = []
  for await (const frame of readFrames(bytes)) frames.push(frame)
  return frames
}

fuzz(
  'D17 frames are the same however their bytes come, and no byte is read twice or left out',
  fc.tuple(mutatedBytes(samples), fc.array(fc.nat(200), { maxLength: 8 })),
  async ([bytes, cuts]) => {
    const frames = await framesOf(
      pieces(
        bytes,
        cuts.filter((cut) => cut < bytes.length),
      ),
    )
    expect(await framesOf(pieces(bytes, []))).toEqual(frames)
    let at = 0
    for (const { streamId, type, flags, data, isTooLarge } of frames) {
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at)
      expect(isTooLarge === true).toBe(length > maxFrameBytes)
      if (!isTooLarge) {
        const whole = bytes.subarray(at, at + headerBytes + length)
        expect(Buffer.from(encodeFrame({ streamId, type, flags, data })).equals(whole)).toBe(true)
      }
      at += headerBytes + length
    }
    // The rest is less than a frame.
    const rest = bytes.length - at
    if (rest >= headerBytes)
      expect(new DataView(bytes.buffer, bytes.byteOffset).getUint32(at) + headerBytes).toBeGreaterThan(rest)
    return frames.length === 0 ? 'nothing' : 'accepted'
  },
)
