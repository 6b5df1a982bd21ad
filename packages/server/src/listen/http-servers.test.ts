import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { expect, test, vi } from 'vitest'
import { versionRoutes } from '../routes/version.ts'
import { Conduct } from '../rpc/conduct.ts'
import { serveRoutes } from '../testing/serve-routes.ts'

/** A GOAWAY frame without an error that names stream 1, which the server has not begun. */
const goodbye = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])

test('a client may say goodbye as Go’s does, as often as it likes', async () => {
  // On a stopped clock nothing is forgiven, and a paused client stays paused.
  const conduct = new Conduct({ now: () => 0, clientOf: () => 'one' })
  const fault = vi.spyOn(conduct, 'fault')
  await using served = await serveRoutes(versionRoutes, { conduct })
  for (let i = 0; i < 10; i++) {
    const socket = connectSocket(served.address)
    const session = connectHttp2('http://localhost', { createConnection: () => socket })
    // The server ends the connection with a protocol error.
    session.on('error', () => {})
    const ended = new Promise((resolve) => session.once('close', resolve))
    const path = '/containerd.services.version.v1.Version/Version'
    const call = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' })
    call.end(Buffer.alloc(5))
    const [headers] = await once(call.resume(), 'response')
    expect(headers[':status']).toBe(200)
    await once(call, 'close')
    socket.write(goodbye)
    await ended
  }
  expect(fault).not.toHaveBeenCalled()
})
