import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createClient } from '@connectrpc/connect'
import { Web } from '@nsbox/api/gen/nsbox/web/v1/web_pb'
import { errorCode } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Server } from '../server.ts'
import { startServer } from '../start.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { servedMethods } from '../testing/served-methods.ts'
import { ask, callMethod, openPage, type WebReply } from '../testing/web-client.ts'
import { pageRules } from './page-rules.ts'

const html = '<!doctype html><title>the page</title>'
const files = new Map([
  ['index.html', { type: 'text/html; charset=utf-8', body: Buffer.from(html), etag: '"1"' }],
  ['page-1.js', { type: 'text/javascript; charset=utf-8', body: Buffer.alloc(4 << 20, 'x'), etag: '"2"' }],
])

let resources: AsyncDisposableStack
let directory: string
/** One whose page may only look, one whose page may act as well. */
let reader: Page
let actor: Page
const logged: string[] = []

/** A server with a page, and the cookie of a browser that has opened it. */
interface Page extends AsyncDisposable {
  readonly server: Server
  readonly host: string
  readonly cookie: string
  /** Makes a link as `ctr web` does. */
  link(): Promise<string>
}

async function startPage(name: string, webWrite: boolean): Promise<Page> {
  await using starting = new AsyncDisposableStack()
  const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) })
  const server = starting.use(
    await startServer(
      { root: join(directory, name), durability: 'relaxed', webAddress: '127.0.0.1:0', webWrite },
      { log, pageFiles: async () => files },
    ),
  )
  const client = socketTransport(server.address)
  starting.defer(() => client[Symbol.dispose]())
  const link = async () => (await createClient(Web, client.transport).open({})).url
  const host = new URL(server.webAddress!).host
  const cookie = await openPage(await link())
  const owned = starting.move()
  return { server, host, cookie, link, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

beforeAll(async () => {
  resources = new AsyncDisposableStack()
  directory = resources.use(await tempDir('nsbox-web')).path
  reader = resources.use(await startPage('reader', false))
  actor = resources.use(await startPage('actor', true))
})
afterAll(() => resources.disposeAsync())

const pathOf = (url: string) => url.slice(url.indexOf('/?'))

describe('a link to the page', () => {
  test('H02 opens it in one browser: used or wrong, the answer is the same', async () => {
    const { host } = reader
    const path = pathOf(await reader.link())
    const first = await ask(host, path, { headers: { 'sec-fetch-site': 'none' } })
    expect(first).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } })
    expect(first.body).toContain('content="0;url=/"')
    const port = host.split(':')[1]
    expect(first.headers['set-cookie']).toEqual([
      expect.stringMatching(
        new RegExp(`^nsbox-${port}=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=/$`),
      ),
    ])
    const again = await ask(host, path)
    const wrong = await ask(host, `/?token=${'A'.repeat(43)}`)
    const none = await ask(host, '/')
    for (const reply of [again, wrong, none]) {
      expect(reply).toMatchObject({ status: 401, body: expect.stringContaining('ctr web') })
      expect(reply.headers['set-cookie']).toBeUndefined()
      expect(reply.body).toBe(none.body)
    }
  })

  test('H02 is not used up by who may not use it', async () => {
    const path = pathOf(await reader.link())
    const attempts = [
      { headers: { host: 'evil.example' } },
      { headers: { origin: 'http://evil.example' } },
      { method: 'POST', headers: { origin: `http://${reader.host}` } },
      { method: 'HEAD' },
    ]
    for (const attempt of attempts) expect((await ask(reader.host, path, attempt)).status).not.toBe(200)
    // It may come from a file.
    const fromFile = await ask(reader.host, path, { headers: { 'sec-fetch-site': 'cross-site' } })
    expect(fromFile.status).toBe(200)
  })

  test('H02 holds no more than 16 at once, and is in no log', async () => {
    const links = []
    for (let i = 0; i < 17; i++) links.push(await reader.link())
    expect((await ask(reader.host, pathOf(links[0]!))).status).toBe(401)
    expect((await ask(reader.host, pathOf(links[1]!))).status).toBe(200)
    const [, value] = reader.cookie.split('=')
    const secrets = [value, ...links.map((url) => new URL(url).searchParams.get('token'))]
    for (const secret of secrets) expect(logged.filter((line) => line.includes(secret!))).toEqual([])
    expect(logged.find((line) => line.includes('serving'))).toContain(reader.server.webAddress)
  })

  test('is refused by a server without a page, with the words how to start one', async () => {
    await using server = await startServer({ root: join(directory, 'plain'), durability: 'relaxed' })
    const client = socketTransport(server.address)
    const refusal = await createClient(Web, client.transport).open({}).catch(String)
    client[Symbol.dispose]()
    expect(refusal).toContain('--web 127.0.0.1:0')
  })
})

describe('the page', () => {
  test('H01 has the headers that keep it apart, as everything from its listener has', async () => {
    const { host, cookie } = reader
    for (const [path, status] of [
      ['/', 200],
      ['/session', 200],
      ['/nothing', 404],
    ] as const) {
      const { headers, ...reply } = await ask(host, path, { headers: { cookie } })
      expect([path, reply.status]).toEqual([path, status])
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'none'; script-src 'self'"),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
      })
      expect(headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe|https?:/)
    }
  })

  test('H01 is the files of a list, and a path never leads to another', async () => {
    const { host, cookie } = reader
    const headers = { cookie }
    const page = await ask(host, '/', { headers })
    expect(page).toMatchObject({ status: 200, body: html, headers: { etag: '"1"' } })
    expect(await ask(host, '/page-1.js?x=1', { headers })).toMatchObject({ status: 200 })
    expect(await ask(host, '/', { headers: { cookie, 'if-none-match': '"1"' } })).toMatchObject({
      status: 304,
      body: '',
    })
    for (const path of [
      '/../package.json',
      '/%2e%2e/package.json',
      '//etc/passwd',
      '/index.html/',
      '/constructor',
    ])
      expect([path, (await ask(host, path, { headers })).status]).toEqual([path, 404])
    const changing = { method: 'PUT', headers: { cookie, origin: `http://${host}` } }
    expect((await ask(host, '/', changing)).status).toBe(405)
  })

  test('H02 is not for the cookie of another server, nor for another name of the same value', async () => {
    const { host, cookie } = reader
    const value = cookie.split('=')[1]
    const attempts = [actor.cookie, `nsbox=${value}`, `x${cookie}`, `${cookie}x`, `${cookie.split('=')[0]}=`]
    for (const attempt of [...attempts, `nsbox-${host.split(':')[1]}=${actor.cookie.split('=')[1]}`])
      expect([attempt, (await ask(host, '/session', { headers: { cookie: attempt } })).status]).toEqual([
        attempt,
        401,
      ])
    expect((await ask(host, '/session', { headers: { cookie: `a=b; ${cookie}; c=d` } })).status).toBe(200)
  })

  test('H03 answers no request of a name that was made to lead here, nor of another site', async () => {
    const { host, cookie } = reader
    const attempts = [
      { headers: { cookie, host: `evil.example:${host.split(':')[1]}` } },
      { headers: { cookie, origin: 'http://evil.example' } },
      { headers: { cookie, 'sec-fetch-site': 'same-site' } },
      { headers: { cookie, host: undefined } },
      { method: 'POST', headers: { cookie, 'content-type': 'application/json' }, body: '{}' },
    ]
    for (const attempt of attempts)
      expect((await ask(host, '/containerd.services.version.v1.Version/Version', attempt)).status).toBe(403)
    const headers = { cookie, host: `localhost:${host.split(':')[1]}` }
    expect((await ask(host, '/session', { headers })).status).toBe(200)
  })

  test.each([true, false])('tells its mode: %s', async (write) => {
    const { host, cookie } = write ? actor : reader
    const { body } = await ask(host, '/session', { headers: { cookie } })
    expect(JSON.parse(body)).toEqual({
      write,
      version: expect.stringMatching(/^\d/),
      revision: expect.any(String),
    })
  })

  test.each(['0.0.0.0:0', '192.0.2.1:0', '[::]:0', 'example.com:0', '127.0.0.1', 'localhost.example:1'])(
    'H01 is refused the address %s',
    async (webAddress) => {
      const config = { root: join(directory, 'refused'), durability: 'relaxed', webAddress } as const
      expect(errorCode(await startServer(config).catch((error) => error))).toBe('invalid_argument')
    },
  )
})

describe('calls of the page', () => {
  /** These wait for what happens, if they are let through. */
  const waiting = ['grpc.health.v1.Health/Watch', 'containerd.services.events.v1.Events/Subscribe']

  /**
   * What the gate says to each method that is served. None has the header for a namespace, so that of those that are
   * let through no one does anything.
   */
  async function refusals({ host, cookie }: Page): Promise<Map<string, string>> {
    const refused = new Map<string, string>()
    for (const [name, { methodKind }] of servedMethods()) {
      if (waiting.includes(name)) continue
      const { status, body } =
        methodKind === 'unary'
          ? await callMethod(host, name, { cookie })
          : await callStream(host, name, cookie, '{}')
      // Messages both ways need HTTP/2.
      const isRefused = methodKind === 'bidi_streaming' ? status === 505 : body.includes('permission_denied')
      if (isRefused) refused.set(name, body)
    }
    return refused
  }

  async function callStream(host: string, name: string, cookie: string, message: string): Promise<WebReply> {
    const head = Buffer.alloc(5)
    head.writeUInt32BE(Buffer.byteLength(message), 1)
    const headers = { cookie, origin: `http://${host}`, 'content-type': 'application/connect+json' }
    const body = `${head.toString('latin1')}${message}`
    return await ask(host, `/${name}`, { method: 'POST', headers, body })
  }

  const ruled = (...rules: string[]) =>
    [...pageRules].filter(([, rule]) => rules.includes(rule)).map(([name]) => name)

  test('H04 that could change anything are refused in the mode that only looks, by name of the mode', async () => {
    const refused = await refusals(reader)
    expect([...refused.keys()].sort()).toEqual(ruled('act', 'never').sort())
    for (const name of ruled('act')) expect(refused.get(name)).toContain('read-only')
  })

  test('H04 that the page has no use for are refused in the mode for actions, too', async () => {
    const refused = await refusals(actor)
    expect([...refused.keys()].sort()).toEqual(ruled('never').sort())
  })

  test('H04 that take more than a method are refused in the mode that only looks', async () => {
    const { host, cookie } = reader
    const headers = { cookie, origin: `http://${host}` }
    const query = 'namespace=n&container=c'
    for (const action of ['fork', 'checkpoint']) {
      const path = `/${action}?${query}&name=x&prefix=x`
      const refusal = await ask(host, path, { method: 'POST', headers })
      expect(refusal).toMatchObject({ status: 403, body: expect.stringContaining('read-only') })
    }
    expect(await upgrade(host, `/terminal?${query}`, headers)).toBe(403)
  })

  test('H03 for a terminal need a session and the page’s origin', async () => {
    const { host, cookie } = actor
    const path = '/terminal?namespace=n&container=c'
    const origin = `http://${host}`
    expect(await upgrade(host, path, { origin })).toBe(401)
    expect(await upgrade(host, path, { cookie })).toBe(403)
    expect(await upgrade(host, path, { cookie, origin: 'http://evil.example' })).toBe(403)
    expect(await upgrade(host, path, { cookie, origin, host: 'evil.example' })).toBe(403)
    expect(await upgrade(host, '/elsewhere', { cookie, origin })).toBe(404)
    expect(await upgrade(host, '/terminal?namespace=n', { cookie, origin })).toBe(400)
  })

  /** The status by which a WebSocket is refused. */
  async function upgrade(host: string, path: string, headers: Record<string, string>): Promise<number> {
    const socket = new WebSocket(`ws://${host}${path}`, { headers: { host, ...headers } })
    const [, response] = await once(socket, 'unexpected-response')
    response.resume()
    return response.statusCode
  }

  test('get the metrics of the server as text', async () => {
    const { host, cookie } = reader
    const { status, headers, body } = await ask(host, '/metrics', { headers: { cookie } })
    expect([status, headers['content-type']]).toEqual([200, expect.stringContaining('text/plain')])
    expect(body).toContain('nsbox_')
  })

  test('tell what a log lacks', async () => {
    const { host, cookie } = reader
    const logs = (query: string) => ask(host, `/logs?${query}`, { headers: { cookie } })
    expect(await logs('namespace=n&container=none')).toMatchObject({
      status: 404,
      body: expect.stringContaining('none'),
    })
    expect((await logs('namespace=n')).status).toBe(400)
    expect((await logs('namespace=n/n&container=c')).status).toBe(400)
  })

  test('get the answers of the socket', async () => {
    const { host, cookie } = reader
    const { status, body } = await callMethod(host, 'containerd.services.namespaces.v1.Namespaces/List', {
      cookie,
    })
    expect([status, JSON.parse(body)]).toEqual([200, {}])
    const none = await callMethod(host, 'containerd.services.nothing.v1.Nothing/Get', { cookie })
    expect(none.status).toBe(404)
  })

  test('H05 have bodies that are bounded', async () => {
    const { host, cookie } = actor
    const body = JSON.stringify({ id: 'x'.repeat(9 << 20) })
    const method = 'containerd.services.containers.v1.Containers/Delete'
    const reply = await callMethod(host, method, { cookie, body }).catch(String)
    expect(typeof reply === 'string' ? reply : reply.body).toMatch(/resource_exhausted|EPIPE|ECONNRESET/)
  })
})

test('H05 a server with open pages ends in an orderly way, and with it what they listen to', async () => {
  const page = await startPage('ending', false)
  const { host, cookie } = page
  const [hostname, port] = host.split(':') as [string, string]
  const idle = connect(Number(port), hostname)
  await once(idle, 'connect')
  const headers = { host, cookie, origin: `http://${host}`, 'content-type': 'application/connect+json' }
  const path = '/grpc.health.v1.Health/Watch'
  const watching = request({ host: hostname, port, path, method: 'POST', headers })
  watching.end(Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d]))
  const [response] = await once(watching, 'response')
  const [first] = await once(response, 'data')
  expect(String(first)).toContain('SERVING')
  response.resume()
  const ended = Promise.all([once(response, 'end'), once(idle.resume(), 'close')])
  await page[Symbol.asyncDispose]()
  await ended
})
