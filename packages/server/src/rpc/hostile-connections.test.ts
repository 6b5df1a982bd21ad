import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { Content } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Streaming } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { describe, expect, test } from 'vitest'
import { frame, rawCall } from '../testing/grpc-call.ts'
import { head, mebibytes, pathOf, status, useHostileServer } from '../testing/hostile-server.ts'

const update = pathOf(Content, 'Update')
const write = pathOf(Content, 'Write')

const { served, received, asked, serve, connect } = useHostileServer()

const isAlive = async () => {
  const { trailers } = await rawCall(
    served().address,
    { ':path': pathOf(Version, 'Version') },
    { body: frame(Buffer.of()) },
  )
  return trailers['grpc-status']
}

/** A message with one unknown field. */
const oneText = (bytes: number) =>
  Buffer.concat([
    Buffer.of(0x7a, ...[0, 7, 14, 21].map((shift) => ((bytes >> shift) & 0x7f) | (shift < 21 ? 0x80 : 0))),
    Buffer.alloc(bytes),
  ])

describe('E07 unfinished messages', () => {
  test('of sixty calls hold no more than is allowed for a connection, and nothing once that has closed', async () => {
    const { session, open } = connect()
    const statuses = Array.from({ length: 60 }, () => {
      const stream = open(update)
      stream.write(head(mebibytes(16)))
      stream.write(Buffer.alloc(mebibytes(15)))
      return status(stream)
    })
    const { arriving, requests } = served().budgets
    await expect.poll(() => requests.total).toBeGreaterThan(0)
    expect(requests.total).toBeLessThanOrEqual(mebibytes(32))
    expect(arriving.total).toBeLessThanOrEqual(60 * (64 << 10))
    expect(await isAlive()).toBe('0')
    session.destroy()
    await Promise.all(statuses)
    await expect.poll(() => requests.total + arriving.total).toBe(0)
  })

  test('of one connection do not hold up another', async () => {
    const { open } = connect()
    for (let i = 0; i < 10; i++) {
      const stream = open(update)
      stream.write(head(mebibytes(16)))
      stream.write(Buffer.alloc(1000))
    }
    await expect.poll(() => served().budgets.requests.total).toBe(mebibytes(32))
    const other = await rawCall(
      served().address,
      { ':path': update },
      { body: frame(oneText(mebibytes(15))) },
    )
    expect(other.trailers['grpc-status']).toBe('0')
  })

  test('wait for each other, and all come', async () => {
    const { open } = connect()
    const ends = Array.from({ length: 8 }, () => {
      const stream = open(update)
      stream.end(frame(oneText(mebibytes(10))))
      return status(stream)
    })
    expect(await Promise.all(ends)).toEqual(Array.from({ length: 8 }, () => '0'))
    expect(served().budgets.requests.total).toBe(0)
  })

  test('that do not go on are ended in time, whichever way they come', async () => {
    await serve({ patience: 400 })
    const { open } = connect()
    const part = Buffer.concat([head(1000), Buffer.alloc(10)])
    const calls = [
      open(update),
      open(write),
      open(update, { 'content-type': 'application/grpc-web+proto' }),
      open(write, { 'content-type': 'application/connect+proto' }),
    ]
    const silent = [open(update), open(write)]
    for (const stream of calls) stream.write(part)
    const ends = await Promise.all([...calls, ...silent].map(status))
    expect(ends.filter((end) => end === '4')).toHaveLength(4)
    expect(served().budgets.arriving.total).toBe(0)
  })

  test('a stream may be silent between its messages', async () => {
    await serve({ patience: 400 })
    const { open } = connect()
    const stream = open(write)
    const end = status(stream)
    stream.write(frame(Buffer.of()))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    stream.end(frame(Buffer.of()))
    expect(await end).toBe('0')
    expect(received()).toHaveLength(2)
  })

  test('of HTTP/1.1 count as well, and are let go of with the connection', async () => {
    const request = httpRequest({
      socketPath: served().address,
      method: 'POST',
      path: update,
      headers: { 'content-type': 'application/proto', 'content-length': mebibytes(16) },
    })
    request.on('error', () => {})
    request.write(Buffer.alloc(mebibytes(1)))
    await expect.poll(() => served().budgets.requests.total).toBe(mebibytes(32))
    request.destroy()
    await expect.poll(() => served().budgets.requests.total).toBe(0)
  })

  test('streams that nobody reads are bounded in number', async () => {
    const { session, open } = connect()
    const refused: string[] = []
    for (let i = 0; i < 600; i++) {
      const end = status(open(write))
      end.then((code) => refused.push(code))
    }
    await expect.poll(() => refused.length).toBe(600 - 512)
    expect(new Set(refused)).toEqual(new Set(['8']))
    session.destroy()
    await expect.poll(() => served().budgets.arriving.total).toBe(0)
  })
})

describe('D17 a process is cut off', () => {
  test('that begins large messages on one connection after the other and does not end them', async () => {
    const { session: watch } = connect()
    const cutOff = once(watch, 'close')
    for (let count = 0; count < 6 && !watch.closed; count++) {
      const { session, open } = connect()
      const sent = [open(update), open(update)].map((stream) => {
        stream.write(head(mebibytes(16)))
        return new Promise((resolve) => stream.write(Buffer.alloc(mebibytes(15)), resolve))
      })
      await Promise.all(sent)
      session.destroy()
      await expect.poll(() => served().budgets.requests.total).toBe(0)
    }
    await cutOff
  })

  test('that makes connections by the thousand and says nothing in them', async () => {
    const { session: watch } = connect()
    await once(watch, 'remoteSettings')
    const cutOff = once(watch, 'close')
    for (let count = 0; count < 4000 && !watch.closed; count++) {
      const socket = connectSocket(served().address)
      socket.on('error', () => {})
      await once(socket, 'connect').catch(() => undefined)
      socket.destroy()
    }
    await cutOff
  })
})

describe('D16 answers that nobody takes', () => {
  test('are made no more of than there is room for, one connection not at the cost of another', async () => {
    const { session, open } = connect()
    for (let i = 0; i < 200; i++) open(pathOf(Content, 'Read')).end(frame(Buffer.of()))
    await expect.poll(asked).toBe(64)
    expect(served().budgets.answers.total).toBe(mebibytes(32))
    const { open: openOther } = connect()
    const other = openOther(pathOf(Content, 'Read'))
    other.end(frame(Buffer.of()))
    expect(await status(other)).toBe('0')
    expect(asked()).toBe(65)
    session.destroy()
    await expect.poll(() => served().budgets.answers.total).toBe(0)
  })

  test('cut off a client of a stream both ways that does not read', async () => {
    const { open } = connect()
    const streams = Array.from({ length: 40 }, () => {
      const stream = open(pathOf(Streaming, 'Stream'))
      stream.pause()
      // An Any with a value of 1 MiB, which is sent back unchanged.
      const message = Buffer.concat([Buffer.of(0x12, 0x80, 0x80, 0x40), Buffer.alloc(mebibytes(1))])
      for (let i = 0; i < 3; i++) stream.write(frame(message))
      return stream
    })
    const reset = () => streams.filter(({ rstCode }) => rstCode === 11).length
    await expect.poll(reset).toBeGreaterThan(0)
    expect(served().budgets.answers.total).toBeLessThanOrEqual(mebibytes(32))
    expect(await isAlive()).toBe('0')
  })
})
