import dns from 'node:dns'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { buffer as collect } from 'node:stream/consumers'
import { digestOf } from '@nsbox/oci'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRegistry } from '../registry.ts'
import { failure } from '../testing/failure.ts'
import { HostPlaces } from './host-places.ts'

describe('the addresses that a host may be connected to at', () => {
  const [here, link, away] = ['127.0.0.1', '169.254.169.254', '192.0.2.1']

  it('E10 are all of them for a host that the user names, but not inward ones beside others', () => {
    expect(new HostPlaces().admit('a', undefined, [here, '::1'])).toEqual([here, '::1'])
    expect(new HostPlaces().admit('a', undefined, [here, away])).toEqual([away])
  })

  it('E10 are where the host was before', () => {
    const places = new HostPlaces()
    expect(places.admit('a', undefined, [away])).toEqual([away])
    expect(places.admit('a', undefined, [here])).toEqual([])
    expect(places.admit('a', 'a', [here])).toEqual([])
    expect(places.admit('b', undefined, [here])).toEqual([here])
    expect(places.admit('b', undefined, [away])).toEqual([])
  })

  it('E10 are not inward for a host that a server elsewhere names, or one of which nothing is known', () => {
    const places = new HostPlaces()
    places.admit('a', undefined, [away])
    for (const sender of ['a', 'unknown']) {
      expect(places.admit('b', sender, [here, link, away])).toEqual([away])
      expect(places.admit('c', sender, [here])).toEqual([])
    }
  })

  it('E10 are all of them for one that a server on this machine names, and its own for one on the link', () => {
    const places = new HostPlaces()
    places.admit('local', undefined, [here])
    places.admit('neighbour', undefined, [link])
    expect(places.admit('b', 'local', [here, link])).toEqual([here, link])
    expect(places.admit('c', 'neighbour', [here, link, '169.254.0.1'])).toEqual([link])
  })

  it('E10 are none after too many hosts', () => {
    const places = new HostPlaces()
    for (let number = 0; number < 4096; number += 1) places.admit(`${number}`, undefined, [away])
    expect(() => places.admit('one more', '0', [away])).toThrow(
      expect.objectContaining({ code: 'resource_exhausted' }),
    )
    expect(places.admit('7', undefined, [away])).toEqual([away])
  })
})

/** An address of this machine that others could have as well. */
const outward = Object.values(networkInterfaces())
  .flat()
  .find((network) => network?.family === 'IPv4' && !network.internal)?.address
if (outward === undefined && process.env.CI === 'true')
  throw new Error('needs a network interface besides the loopback one; nothing may be skipped with CI=true')

describe.skipIf(outward === undefined)('a server elsewhere', () => {
  const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('abc'), size: 3 }
  let resources: AsyncDisposableStack
  /** The addresses of names, which may change with each question. */
  let names: Map<string, string[][]>

  beforeEach(() => {
    resources = new AsyncDisposableStack()
    names = new Map()
    const lookup = dns.lookup
    vi.spyOn(dns, 'lookup').mockImplementation(((
      name: string,
      options: dns.LookupAllOptions,
      callback: (error: Error | null, found: dns.LookupAddress[]) => void,
    ) => {
      const answers = names.get(name)
      if (answers === undefined) return lookup(name, options, callback)
      const found = answers.length > 1 ? answers.shift()! : answers[0]!
      callback(
        null,
        found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )
    }) as unknown as typeof dns.lookup)
  })
  afterEach(async () => {
    vi.restoreAllMocks()
    await resources.disposeAsync()
  })

  async function listen(address: string, answer: (path: string, response: ServerResponse) => void) {
    const asked: string[] = []
    let connections = 0
    const server: Server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      // So that each request is a connection of its own, for which the name is looked up.
      response.setHeader('connection', 'close')
      answer(request.url!, response)
    })
    server.on('connection', () => {
      connections += 1
    })
    await new Promise<void>((resolve) => server.listen(0, address, resolve))
    resources.defer(async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    })
    const { port } = server.address() as AddressInfo
    return { port, asked, connections: () => connections }
  }

  /** Something on this machine that is nobody else's business. */
  const secret = () => listen('127.0.0.1', (_, response) => void response.end('abc'))
  const leads = (response: ServerResponse, to: string) => void response.writeHead(307, { location: to }).end()

  async function fetched(reference: string) {
    await using client = createRegistry({ defaultScheme: 'http', limits: { attempts: 1 } })
    return (await collect(client.remote(reference).fetch(blob))).toString()
  }

  it('E10 cannot send its clients to this machine by a name', async () => {
    const { port, connections } = await secret()
    names.set('inside.test', [['127.0.0.1']])
    names.set('inside6.test', [['::1'], ['::ffff:127.0.0.1'], ['64:ff9b::7f00:1']])
    for (const host of ['inside.test', 'inside6.test', 'inside6.test', 'inside6.test']) {
      const evil = await listen(outward!, (_, response) => leads(response, `http://${host}:${port}/x`))
      const error = await failure(fetched(`${outward}:${evil.port}/app:1`))
      expect(error).toMatchObject({ code: 'failed_precondition' })
      expect(error.message).toContain(host)
    }
    expect(connections()).toBe(0)
  })

  it('E10 cannot by its own name, which it lets resolve to something else', async () => {
    const { port, connections } = await secret()
    names.set('evil.test', [[outward!], ['127.0.0.1']])
    const evil = await listen(outward!, (_, response) => leads(response, `http://evil.test:${port}/x`))
    expect(await failure(fetched(`evil.test:${evil.port}/app:1`))).toMatchObject({
      code: 'failed_precondition',
    })
    names.set('evil.test', [[outward!], ['127.0.0.1', outward!]])
    const both = await failure(fetched(`evil.test:${evil.port}/app:1`))
    expect(both).toMatchObject({ code: 'unavailable' })
    expect(connections()).toBe(0)
  })

  it('E10 cannot by its own origin, once the name resolves to something else', async () => {
    const { port, connections } = await secret()
    names.set('evil.test', [[outward!], ['127.0.0.1']])
    const evil = await listen(outward!, (_, response) => leads(response, '/x'))
    // Were it followed, it would come to nobody on this port of the loopback address.
    const error = await failure(fetched(`evil.test:${evil.port}/app:1`))
    expect(error).toMatchObject({ code: 'failed_precondition' })
    expect([evil.asked.length, connections(), port > 0]).toEqual([1, 0, true])
  })

  it('E10 cannot by the place of its token server', async () => {
    const { port, connections } = await secret()
    names.set('inside.test', [['127.0.0.1']])
    const evil = await listen(outward!, (_, response) =>
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="http://inside.test:${port}/token"` })
        .end(),
    )
    expect(await failure(fetched(`${outward}:${evil.port}/app:1`))).toMatchObject({
      code: 'failed_precondition',
    })
    expect(connections()).toBe(0)
  })

  it('E10 cannot over another server that it sends them to', async () => {
    const { port, connections } = await secret()
    names.set('inside.test', [['127.0.0.1']])
    const second = await listen(outward!, (_, response) => leads(response, `http://inside.test:${port}/x`))
    const first = await listen(outward!, (_, response) =>
      leads(response, `http://${outward}:${second.port}/y`),
    )
    expect(await failure(fetched(`${outward}:${first.port}/app:1`))).toMatchObject({
      code: 'failed_precondition',
    })
    expect([second.asked, connections()]).toEqual([['GET /y'], 0])
  })

  it.each(['[fd00:ec2::254]', '100.100.100.200', '[64:ff9b::a9fe:a9fe]', '[fe80::1]', '0.0.0.0'])(
    'E10 cannot send its clients to %s',
    async (host) => {
      const evil = await listen(outward!, (_, response) => leads(response, `http://${host}/latest`))
      expect(await failure(fetched(`${outward}:${evil.port}/app:1`))).toMatchObject({
        code: 'failed_precondition',
      })
    },
  )

  it('E10 may send them elsewhere, and one on this machine wherever it likes', async () => {
    const storage = await listen(outward!, (_, response) => void response.end('abc'))
    const { port, asked } = await secret()
    names.set('storage.test', [['127.0.0.1', outward!]])
    names.set('inside.test', [['127.0.0.1']])
    const honest = await listen(outward!, (_, response) =>
      leads(response, `http://storage.test:${storage.port}/x`),
    )
    expect(await fetched(`${outward}:${honest.port}/app:1`)).toBe('abc')
    const local = await listen('127.0.0.1', (_, response) => leads(response, `http://inside.test:${port}/x`))
    expect(await fetched(`127.0.0.1:${local.port}/app:1`)).toBe('abc')
    names.set('registry.test', [['127.0.0.1']])
    expect(await fetched(`registry.test:${local.port}/app:1`)).toBe('abc')
    expect(asked).toHaveLength(2)
  })

  it('E10 is not taken for this machine for its name', async () => {
    const registry = await listen(outward!, (_, response) => void response.end('abc'))
    names.set('registry.localhost', [[outward!]])
    expect(await failure(fetched(`registry.localhost:${registry.port}/app:1`))).toMatchObject({
      code: 'failed_precondition',
    })
    expect(registry.connections()).toBe(0)
  })
})
