import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { deferred } from '@nsbox/concurrency'
import { afterEach, expect, test, vi } from 'vitest'
import { versionRoutes } from '../routes/version.ts'
import { serveRoutes } from '../testing/serve-routes.ts'

/** The bytes of a Node.js client for one call: its preface, SETTINGS, HEADERS, DATA and GOAWAY. */
const call = Buffer.from(
  [
    'UFJJICogSFRUUC8yLjANCg0KU00NCg0KAAAABAAAAAAAAABIAQQAAAABgwShYIepIzVFskXQWzuYhUL9',
    'y2IMepfuFfiWxBj1McS2IMerQYmg5B0TnQm48D+GX4sdddBiDSY9TE1lZEACdGWGTYM1BbEfAAAFAAEA',
    'AAABAAAAAAAAAAgHAAAAAAAAAAAAAAAA',
  ].join(''),
  'base64',
)

afterEach(() => {
  vi.useRealTimers()
})

test('D17 connections end whose clients say GOAWAY, then something malformed, and go', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  await using served = await serveRoutes(versionRoutes)
  for (let count = 0; count < 20; count++) {
    const socket = connect(served.address)
    socket.on('error', () => {})
    // DATA without a stream.
    socket.resume().end(Buffer.concat([call, Buffer.alloc(100)]))
    await once(socket, 'close', { signal: AbortSignal.timeout(100) }).catch(() => socket.destroy())
  }
  vi.advanceTimersByTime(20_000)
  vi.useRealTimers()
  await expect.poll(() => served.connections()).toBe(0)
})

test('a call goes on for as long as it takes on a connection that is closing', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const asked = deferred<void>()
  const answer = deferred<void>()
  await using served = await serveRoutes((router) => {
    router.service(Version, {
      async version() {
        asked.resolve()
        await answer.promise
        return {}
      },
    })
  })
  const session = connectHttp2('http://localhost', { createConnection: () => connect(served.address) })
  const stream = session.request({
    ':method': 'POST',
    ':path': '/containerd.services.version.v1.Version/Version',
    'content-type': 'application/grpc',
  })
  stream.end(Buffer.alloc(5))
  await asked.promise
  session.close()
  for (let looks = 0; looks < 6; looks++) {
    vi.advanceTimersByTime(5000)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  answer.resolve()
  const [trailers] = (await once(stream, 'trailers')) as [Record<string, string>]
  expect(trailers['grpc-status']).toBe('0')
})
