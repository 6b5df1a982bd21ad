import { EventEmitter, once } from 'node:events'
import { createServer, type Server as HttpServer, request as httpRequest } from 'node:http'
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { RpcHandler } from '../rpc/rpc-handler.ts'
import { pageRoutes } from './page-routes.ts'
import { Terminals } from './terminals.ts'

let resources: AsyncDisposableStack
let port: number
const open = new Set<Socket>()
/** Connections to the server's socket so far, one for each request that is let through. */
let dialled: number
let dials: EventEmitter

/** Ends a server, and whoever is connected. */
async function end(server: Server | HttpServer): Promise<void> {
  for (const socket of open) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
}

/** The routes of a page whose server never answers the page's own calls. */
beforeEach(async () => {
  resources = new AsyncDisposableStack()
  const { path } = resources.use(await tempDir('nsbox-page-bounds'))
  const address = join(path, 'silent.sock')
  const keep = (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket)).on('error', () => undefined)
  }
  dials = new EventEmitter()
  dialled = 0
  const silent = createSocketServer((socket) => {
    keep(socket)
    dialled += 1
    dials.emit('dial')
  })
  await once(silent.listen(address), 'listening')
  resources.defer(() => end(silent))
  const log = pino({ level: 'silent' })
  const stopping = new AbortController()
  const terminals = resources.use(await Terminals.open({ address, fifoDirectory: path, log }))
  const metrics = async () => ({ contentType: 'text/plain', body: '' })
  const handler = {} as RpcHandler
  const { signal } = stopping
  const routes = pageRoutes({ files: new Map(), handler, address, metrics, terminals, stopping: signal, log })
  const urlOf = (url = '') => new URL(url, 'http://localhost')
  const server = createServer((request, response) => routes.request(request, response, urlOf(request.url)))
  server.on('connection', keep)
  server.on('upgrade', (request, socket, head) => routes.upgrade(request, socket, head, urlOf(request.url)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  resources.defer(async () => {
    stopping.abort()
    await end(server)
  })
  port = (server.address() as AddressInfo).port
})
afterEach(() => resources.disposeAsync())

const query = 'namespace=n&container=c'

/** Sends a request, whose answer may never come. */
function ask(method: string, path: string) {
  const request = httpRequest({ host: '127.0.0.1', port, method, path, agent: false })
  const status = new Promise<number | undefined>((resolve) => {
    request.once('response', (response) => resolve(response.resume().statusCode))
    request.once('error', () => resolve(undefined))
  })
  request.end()
  return { request, status }
}

test.each([
  ['32 logs', 32, 'GET', `/logs?${query}`],
  ['4 actions', 4, 'POST', `/fork?${query}&prefix=p`],
])(
  'H05 there are %s of the page at once, and one more when one of them has ended',
  async (_, most, method, path) => {
    const asked = Array.from({ length: most }, () => ask(method, path))
    await expect.poll(() => dialled).toBe(most)
    expect(await ask(method, path).status).toBe(429)
    expect(dialled).toBe(most)
    asked[0]!.request.destroy()
    await expect
      .poll(async () => {
        const dial = once(dials, 'dial')
        await Promise.race([ask(method, path).status, dial])
        return dialled
      })
      .toBe(most + 1)
  },
)

test('H06 there are 16 terminals of the page at once', async () => {
  const dial = () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/terminal?${query}`)
    socket.on('error', () => undefined)
    return socket
  }
  const sockets = Array.from({ length: 16 }, dial)
  await Promise.all(sockets.map((socket) => once(socket, 'open')))
  const [, response] = await once(dial(), 'unexpected-response')
  expect(response.statusCode).toBe(429)
  response.resume()
  for (const socket of sockets) socket.terminate()
})
