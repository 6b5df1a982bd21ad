import { once } from 'node:events'
import { createServer } from 'node:net'
import { Code, createClient } from '@connectrpc/connect'
import { tempDir } from '@nsbox/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectTtrpc } from './client/connect-ttrpc.ts'
import { encodeFrame, maxFrameBytes } from './frame.ts'
import { Echo } from './testing/echo-service.ts'
import { type RawConnection, rawConnection, requestFrame } from './testing/raw-connection.ts'
import { type ServedEcho, serveEcho } from './testing/serve-echo.ts'

const unary = (streamId: number) => requestFrame(streamId, { service: Echo.typeName, method: 'Unary' })

/** A header that announces this length. */
function header(length: number, streamId: number, type: number, flags = 0): Uint8Array {
  const bytes = encodeFrame({ streamId, type, flags, data: new Uint8Array() })
  new DataView(bytes.buffer).setUint32(0, length)
  return bytes
}

describe('D17 a ttrpc server', () => {
  let echo: ServedEcho
  let raw: RawConnection
  let running = 0
  let taken: number | undefined
  let release = () => {}
  let released: Promise<void>
  beforeEach(async () => {
    running = 0
    taken = undefined
    released = new Promise((resolve) => (release = resolve))
    echo = await serveEcho({
      unary: ({ value }, { signal }) =>
        value !== 'hang'
          ? { value }
          : new Promise((resolve) => {
              running++
              signal.addEventListener('abort', () => {
                running--
                resolve({})
              })
            }),
      async *both(messages) {
        taken = 0
        yield {}
        await released
        for await (const _ of messages) taken++
      },
    })
    raw = await rawConnection(echo.path)
  })
  afterEach(async () => {
    release()
    raw[Symbol.dispose]()
    await echo[Symbol.asyncDispose]()
  })

  const expectAlive = async (streamId: number) => {
    raw.send(unary(streamId))
    expect(await raw.code()).toEqual({ streamId, code: 0 })
  }

  it('refuses even numbers, numbers again, and data of no stream, and goes on', async () => {
    raw.send(unary(2))
    expect(await raw.code()).toEqual({ streamId: 2, code: Code.InvalidArgument })
    await expectAlive(5)
    for (const streamId of [5, 3]) {
      raw.send(unary(streamId))
      expect(await raw.code()).toEqual({ streamId, code: Code.InvalidArgument })
    }
    raw.send(encodeFrame({ streamId: 9, type: 3, flags: 0, data: new Uint8Array(3) }))
    expect(await raw.code()).toEqual({ streamId: 9, code: Code.InvalidArgument })
    await expectAlive(0xffffffff)
  })

  it('ignores frames of unknown types, and unknown flags', async () => {
    raw.send(encodeFrame({ streamId: 1, type: 7, flags: 0, data: new Uint8Array(100) }))
    raw.send(encodeFrame({ streamId: 3, type: 0, flags: 255, data: new Uint8Array() }))
    raw.send(requestFrame(5, { service: Echo.typeName, method: 'Unary' }, 0xf8))
    expect(await raw.code()).toEqual({ streamId: 5, code: 0 })
  })

  it('refuses requests that are none, unknown methods and metadata that no header can be', async () => {
    raw.send(encodeFrame({ streamId: 1, type: 1, flags: 0, data: new Uint8Array(10).fill(0xff) }))
    expect(await raw.code()).toEqual({ streamId: 1, code: Code.InvalidArgument })
    raw.send(requestFrame(3, { service: 'constructor', method: '__proto__' }))
    expect(await raw.code()).toEqual({ streamId: 3, code: Code.Unimplemented })
    const metadata = [{ key: 'a\nb', value: 'c\u0000' }]
    raw.send(requestFrame(5, { service: Echo.typeName, method: 'Unary', metadata }))
    expect(await raw.code()).toEqual({ streamId: 5, code: Code.InvalidArgument })
    raw.send(requestFrame(7, { service: Echo.typeName, method: 'Unary', payload: new Uint8Array([10, 200]) }))
    expect(await raw.code()).toEqual({ streamId: 7, code: Code.InvalidArgument })
    await expectAlive(9)
  })

  it('takes deadlines of any size', async () => {
    for (const [index, timeoutNano] of [2n ** 63n - 1n, -(2n ** 63n), 1n].entries()) {
      const streamId = 2 * index + 1
      raw.send(requestFrame(streamId, { service: Echo.typeName, method: 'Unary', timeoutNano }))
      expect((await raw.code()).streamId).toBe(streamId)
    }
  })

  it('drops what is too large for a frame as it comes, and refuses it by itself', async () => {
    const length = maxFrameBytes + 1
    raw.send(header(length, 1, 1))
    for (let sent = 0; sent < length; sent += 1 << 20)
      raw.send(new Uint8Array(Math.min(1 << 20, length - sent)))
    expect(await raw.code()).toEqual({ streamId: 1, code: Code.ResourceExhausted })
    await expectAlive(3)
  })

  it('has at most 1024 calls at a time', async () => {
    const payload = new Uint8Array([10, 4, ...Buffer.from('hang')])
    for (let index = 0; index < 1025; index++)
      raw.send(requestFrame(2 * index + 1, { service: Echo.typeName, method: 'Unary', payload }))
    expect(await raw.code()).toEqual({ streamId: 2049, code: Code.ResourceExhausted })
    expect(running).toBe(1024)
    raw[Symbol.dispose]()
    await expect.poll(() => running).toBe(0)
  })

  it('refuses calls beyond 16 MiB, and notices meanwhile that the client goes', async () => {
    for (const streamId of [1, 3, 5, 7, 9])
      raw.send(requestFrame(streamId, { service: Echo.typeName, method: 'Unary', payload: hang(4_000_000) }))
    expect(await raw.code()).toEqual({ streamId: 9, code: Code.ResourceExhausted })
    expect(running).toBe(4)
    await expectAlive(11)
    raw[Symbol.dispose]()
    await expect.poll(() => running).toBe(0)
  })

  it('reads no more of a stream than there is room for while nobody takes it', async () => {
    raw.send(requestFrame(1, { service: Echo.typeName, method: 'Both' }, 2))
    await expect.poll(() => taken).toBe(0)
    const message = encodeFrame({ streamId: 1, type: 3, flags: 0, data: hang(1_000_000) })
    let accepted = 0
    void (async () => {
      for (; accepted < 64; accepted++) await new Promise<void>((resolve) => raw.send(message, resolve))
    })()
    await expect.poll(() => accepted).toBeGreaterThan(16)
    await new Promise((resolve) => setTimeout(resolve, 100))
    // The bytes that are read, and the buffers of the sockets.
    expect(accepted).toBeLessThan(24)
    release()
    await expect.poll(() => taken).toBe(64)
  })
})

/** A message of this size, with the text `hang` and an unknown field. */
function hang(size: number): Uint8Array {
  const known = [10, 4, ...Buffer.from('hang')]
  const bytes = new Uint8Array(size)
  bytes.set(known)
  // Field 15, of bytes, with a length of four bytes.
  const length = size - known.length - 5
  bytes.set(
    [
      0x7a,
      (length & 0x7f) | 0x80,
      ((length >> 7) & 0x7f) | 0x80,
      ((length >> 14) & 0x7f) | 0x80,
      length >> 21,
    ],
    known.length,
  )
  return bytes
}

describe('D17 a ttrpc client', () => {
  it('takes no harm from answers to nobody, of other types, or that are none', async () => {
    await using directory = await tempDir('nsbox-ttrpc')
    const answers = [
      encodeFrame({ streamId: 7, type: 2, flags: 0, data: new Uint8Array(5) }),
      encodeFrame({ streamId: 2, type: 3, flags: 1, data: new Uint8Array(5) }),
      encodeFrame({ streamId: 1, type: 2, flags: 0, data: new Uint8Array(5).fill(0xff) }),
    ]
    const server = createServer((socket) => {
      socket.once('data', () => {
        for (const answer of answers) socket.write(answer)
        socket.once('data', () => {
          socket.write(encodeFrame({ streamId: 3, type: 3, flags: 0, data: new Uint8Array() }))
          socket.once('data', () =>
            socket.end(
              encodeFrame({ streamId: 5, type: 2, flags: 0, data: new Uint8Array() }).subarray(0, 5),
            ),
          )
        })
      })
    })
    server.listen(`${directory.path}/socket`)
    await once(server, 'listening')
    using connection = await connectTtrpc(`${directory.path}/socket`)
    const client = createClient(Echo, connection.transport)
    await expect(client.unary({})).rejects.toMatchObject({ code: Code.InvalidArgument })
    await expect(client.unary({})).rejects.toMatchObject({ code: Code.Internal })
    await expect(client.unary({})).rejects.toMatchObject({ code: Code.Unavailable })
    await new Promise((resolve) => server.close(resolve))
  })
})
