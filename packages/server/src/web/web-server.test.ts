import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ask, openPage } from '../testing/web-client.ts'
import { PageSessions } from './page-sessions.ts'
import { openWebServer, type WebServer, type WebServerLimits } from './web-server.ts'

let resources: AsyncDisposableStack
let sessions: PageSessions
beforeEach(() => {
  resources = new AsyncDisposableStack()
  sessions = new PageSessions()
})
afterEach(() => resources.disposeAsync())

const log = pino({ level: 'silent' })

async function serve(limits: WebServerLimits, address = '127.0.0.1:0'): Promise<WebServer> {
  const routes = {
    request: (_request: unknown, response: { end(text: string): void }) => response.end('served'),
    upgrade: () => {},
  }
  const server = await openWebServer(address, { sessions, routes, log }, limits)
  resources.defer(async () => {
    const closed = server.close()
    server.destroy()
    await closed
  })
  return server
}

const open = (server: WebServer) => openPage(`http://${server.host}/?token=${sessions.issueToken()}`)

async function join({ host }: WebServer): Promise<Socket> {
  const { hostname, port } = new URL(`http://${host}`)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

test('H05 connections of strangers make place for new ones, those of browsers with a session do not', async () => {
  const server = await serve({ maxConnections: 4 })
  const cookie = await open(server)
  const known = await join(server)
  known.write(`GET /x HTTP/1.1\r\nhost: ${server.host}\r\ncookie: ${cookie}\r\n\r\n`)
  await once(known, 'data')
  const strangers = [await join(server), await join(server), await join(server)]
  const displaced = once(strangers[0]!.resume(), 'close')
  expect((await ask(server.host, '/x', { headers: { cookie } })).body).toBe('served')
  await displaced
  known.write(`GET /x HTTP/1.1\r\nhost: ${server.host}\r\ncookie: ${cookie}\r\n\r\n`)
  expect(String((await once(known, 'data'))[0])).toContain('served')
  for (const socket of [known, ...strangers]) socket.destroy()
})

test('H05 a connection that sends no whole request in time is closed', async () => {
  const server = await serve({ headersTime: 200 })
  const [silent, slow] = [await join(server), await join(server)]
  slow.write('GET / HTTP/1.1\r\nhost: ')
  await Promise.all([once(silent.resume(), 'close'), once(slow.resume(), 'close')])
})

test('H05 headers have a bound', async () => {
  const server = await serve({})
  const reply = await ask(server.host, '/', { headers: { cookie: 'x'.repeat(17 << 10) } })
  expect(reply.status).toBe(431)
})

test('H02 a session’s connections are closed when a newer one takes its place', async () => {
  const server = await serve({})
  const cookie = await open(server)
  const socket = await join(server)
  socket.write(`GET /x HTTP/1.1\r\nhost: ${server.host}\r\ncookie: ${cookie}\r\n\r\n`)
  await once(socket, 'data')
  const closed = once(socket.resume(), 'close')
  for (let i = 0; i < 64; i++) sessions.redeem(sessions.issueToken())
  await closed
  expect((await ask(server.host, '/x', { headers: { cookie } })).status).toBe(401)
})

test('serves on the other loopback address as well', async () => {
  const server = await serve({}, '[::1]:0')
  expect(server.host).toMatch(/^\[::1\]:\d+$/)
  expect((await ask(server.host, '/x', { headers: { cookie: await open(server) } })).body).toBe('served')
})
