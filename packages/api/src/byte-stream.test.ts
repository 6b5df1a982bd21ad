import { buffer } from 'node:stream/consumers'
import type { Any } from '@bufbuild/protobuf/wkt'
import { expect, it, test } from 'vitest'
import { packAny, unpackAny } from './any.ts'
import { type MessageChannel, receiveBytes, sendBytes } from './byte-stream.ts'
import { DataSchema, WindowUpdateSchema } from './gen/types/transfer/streaming_pb.ts'

/** Messages that one end sends and the other receives. */
class Pipe {
  readonly #messages: (Any | undefined)[] = []
  #wake = () => {}

  put(message: Any | undefined): void {
    this.#messages.push(message)
    this.#wake()
  }

  async take(): Promise<Any | undefined> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#messages.shift()
  }
}

function channels() {
  const [there, back] = [new Pipe(), new Pipe()]
  const end = (out: Pipe, into: Pipe): MessageChannel => ({
    send: (message) => out.put(message),
    receive: () => into.take(),
  })
  return {
    sender: end(there, back),
    receiver: end(back, there),
    end: () => there.put(undefined),
    back,
    there,
  }
}

async function* chunksOf(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

test.each([
  [[]],
  [[0]],
  [[1]],
  [[32_767, 1, 32_768, 0, 1]],
  [[3_000_000, 5]],
  [Array<number>(3000).fill(700)],
])('carries chunks of %j bytes', async (sizes) => {
  const sent = sizes.map((size, index) => Buffer.alloc(size, index + 1))
  const { sender, receiver, end } = channels()
  const received = buffer(receiveBytes(receiver))
  await sendBytes(sender, chunksOf(sent))
  end()
  expect((await received).equals(Buffer.concat(sent))).toBe(true)
})

it('sends no more than the other end takes', async () => {
  const { sender, back, there } = channels()
  let done = false
  const sent = sendBytes(sender, chunksOf([Buffer.alloc(100_000)])).then(() => (done = true))
  back.put(packAny(WindowUpdateSchema, { update: 10 }))
  expect(unpackAny(DataSchema, (await there.take())!).data).toHaveLength(10)
  back.put(packAny(WindowUpdateSchema, { update: 40_000 }))
  expect(unpackAny(DataSchema, (await there.take())!).data).toHaveLength(32_768)
  expect(unpackAny(DataSchema, (await there.take())!).data).toHaveLength(7232)
  expect(done).toBe(false)
  back.put(packAny(WindowUpdateSchema, { update: 2_000_000_000 }))
  await sent
})

test.each([
  ['unavailable', undefined],
  ['invalid_argument', packAny(WindowUpdateSchema, { update: 0 })],
  ['invalid_argument', packAny(WindowUpdateSchema, { update: -1 })],
  ['invalid_argument', packAny(DataSchema, { data: new Uint8Array(1) })],
])('fails as %s where the other end answers with something else', async (code, answer) => {
  const { sender, back } = channels()
  back.put(answer)
  await expect(sendBytes(sender, chunksOf([Buffer.alloc(10)]))).rejects.toMatchObject({ code })
})

it('refuses what are no bytes', async () => {
  const { receiver, there } = channels()
  there.put(packAny(WindowUpdateSchema, { update: 1 }))
  await expect(buffer(receiveBytes(receiver))).rejects.toMatchObject({ code: 'invalid_argument' })
})
