import { createServer, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { buffer as collect } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { type Descriptor, digestOf, mediaTypes } from '@nsbox/oci'
import { type FaultServer, seededBytes, startFaultServer } from '@nsbox/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RegistryLimits } from '../limits.ts'
import { createRegistry, type Registry, type RegistryOptions } from '../registry.ts'

const content = Buffer.concat([...seededBytes('faults', 300_000)])
const layer: Descriptor = {
  mediaType: mediaTypes.ociLayerGzip,
  digest: digestOf(content),
  size: content.length,
}
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: { mediaType: mediaTypes.ociConfig, digest: digestOf('{}'), size: 2 },
  layers: [],
})
const described = { mediaType: mediaTypes.ociManifest, digest: digestOf(manifest), size: manifest.length }
const manifestHeaders = { 'content-type': described.mediaType, 'docker-content-digest': described.digest }
const blobPath = `/v2/app/blobs/${layer.digest}`
const tagPath = '/v2/app/manifests/1'
const limits: Partial<RegistryLimits> = { retryDelay: 1, attempts: 3 }

const failure = (promise: Promise<unknown>): Promise<{ code: string; message: string }> =>
  promise.then(
    () => expect.unreachable('it should fail'),
    (error) => error,
  )

let server: FaultServer
let registry: Registry

beforeEach(async () => {
  server = await startFaultServer()
  registry = createRegistry({ limits, defaultScheme: 'http' })
})

afterEach(async () => {
  await registry[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const remote = (client = registry) => client.remote(`${server.host}/app:1`)
const withOptions = (options: RegistryOptions) => createRegistry({ defaultScheme: 'http', ...options })
const ranges = () => server.requests.map(({ headers }) => headers.range)

describe('a body', () => {
  it('that breaks off is continued where it broke', async () => {
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 100_000 } }, { body: content })
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
    expect(ranges()).toEqual([undefined, 'bytes=100000-'])
  })

  it('that breaks off again and again is continued as long as it grows', async () => {
    const cut = { body: content, fault: { cutAfter: 40_000 } }
    server.on('GET', blobPath, cut, cut, cut, cut, cut, cut, { body: content })
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
    expect(server.requests).toHaveLength(7)
  })

  it('that always ends early is data_loss in the end', async () => {
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 0 } })
    expect(await failure(collect(remote().fetch(layer)))).toMatchObject({ code: 'data_loss' })
    expect(server.requests).toHaveLength(3)
  })

  it('that grows by a byte for each connection does not go on for ever', async () => {
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 1 } })
    expect(await failure(collect(remote().fetch(layer)))).toMatchObject({ code: 'data_loss' })
    expect(server.requests).toHaveLength(3)
  })

  it('C05 that comes whole instead of the range is passed over up to where it broke', async () => {
    const whole = { body: content, fault: 'ignores ranges' } as const
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 100_000 } }, whole)
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
  })

  it('C05 that comes with another range than was asked for is read anew', async () => {
    const wrong = { body: content, fault: 'wrong range' } as const
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 100_000 } }, wrong)
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
    expect(ranges()).toEqual([undefined, 'bytes=100000-', undefined])
  })

  it('C05 whose range says another size than the descriptor is refused', async () => {
    server.on('GET', blobPath, { body: content.subarray(0, 200_000) })
    const fetched = collect(remote().fetch(layer, { offset: 100_000 }))
    expect(await failure(fetched)).toMatchObject({ code: 'invalid_argument' })
  })

  it('C05 for which a range is refused is read anew', async () => {
    server.on('GET', blobPath, { status: 416 }, { body: content })
    const rest = await collect(remote().fetch(layer, { offset: 100_000 }))
    expect(rest.equals(content.subarray(100_000))).toBe(true)
  })

  it('B03 of another size than the descriptor is refused before anything is delivered', async () => {
    for (const size of [layer.size - 1, layer.size + 1]) {
      server.on('GET', blobPath, { body: content })
      const chunks: Uint8Array[] = []
      const fetched = (async () => {
        for await (const chunk of remote().fetch({ ...layer, size })) chunks.push(chunk)
      })()
      expect(await failure(fetched)).toMatchObject({ code: 'invalid_argument' })
      expect(chunks).toEqual([])
    }
  })

  it('B03 without an announced size never delivers more than the descriptor’s size', async () => {
    await using chunked = await serve((_, response) => {
      response.write(content)
      response.end('and more')
    })
    let received = 0
    const fetched = (async () => {
      for await (const chunk of registry.remote(`${chunked.host}/app:1`).fetch(layer))
        received += chunk.length
    })()
    expect(await failure(fetched)).toMatchObject({ code: 'invalid_argument' })
    expect(received).toBe(layer.size)
  })

  it('B03 without an announced size that is too short is data_loss', async () => {
    await using chunked = await serve((_, response) => {
      response.write(content.subarray(0, 10))
      response.end()
    })
    const fetched = collect(registry.remote(`${chunked.host}/app:1`).fetch(layer))
    expect(await failure(fetched)).toMatchObject({ code: 'data_loss' })
  })

  it('B03 is not asked for with a size or digest that is none', async () => {
    for (const wrong of [
      { size: -1 },
      { size: 1.5 },
      { digest: 'sha256:../../etc/passwd' },
      { digest: 'md5:00' },
    ]) {
      const fetched = collect(remote().fetch({ ...layer, ...wrong } as Descriptor))
      expect(await failure(fetched)).toMatchObject({ code: 'invalid_argument' })
    }
    expect(server.requests).toEqual([])
  })

  it('that nobody asked to be encoded is refused', async () => {
    server.on('GET', blobPath, { body: content, headers: { 'content-encoding': 'gzip' } })
    expect(await failure(collect(remote().fetch(layer)))).toMatchObject({ code: 'invalid_argument' })
  })

  it('that trickles is given up as unavailable, and no quicker than the window', async () => {
    await using client = withOptions({
      limits: { ...limits, attempts: 2, rateWindow: 300, minimumRate: 10_000 },
    })
    server.on('GET', blobPath, { body: content, fault: { trickle: { bytes: 10, everyMs: 10 } } })
    const started = performance.now()
    expect(await failure(collect(remote(client).fetch(layer)))).toMatchObject({ code: 'unavailable' })
    expect(performance.now() - started).toBeGreaterThan(590)
    expect(server.requests).toHaveLength(2)
  })

  it('that stalls is continued', async () => {
    await using client = withOptions({ limits: { ...limits, rateWindow: 300 } })
    server.on('GET', blobPath, { body: content, fault: { stallAfter: 100_000 } }, { body: content })
    expect((await collect(remote(client).fetch(layer))).equals(content)).toBe(true)
  })

  it('does not count as slow while its reader is', async () => {
    await using client = withOptions({
      limits: { ...limits, attempts: 1, rateWindow: 100, minimumRate: 1e6 },
    })
    server.on('GET', blobPath, { body: content })
    let received = 0
    for await (const chunk of remote(client).fetch(layer)) {
      received += chunk.length
      await delay(60)
    }
    expect(received).toBe(layer.size)
  })

  it('that its reader leaves ends the connection', async () => {
    let closed: Promise<void> | undefined
    await using endless = await serve((_, response) => {
      closed = new Promise((resolve) => response.on('close', () => resolve()))
      response.write(content)
    })
    for await (const _ of registry.remote(`${endless.host}/app:1`).fetch({ ...layer, size: 1e9 })) break
    await closed
  })

  it('is aborted by a signal with its reason', async () => {
    server.on('GET', blobPath, { body: content, fault: { stallAfter: 1000 } })
    const controller = new AbortController()
    const fetched = collect(remote().fetch(layer, { signal: controller.signal }))
    setTimeout(() => controller.abort(new Error('enough')), 50)
    await expect(fetched).rejects.toThrow('enough')
    const late = collect(remote().fetch(layer, { signal: controller.signal }))
    await expect(late).rejects.toThrow('enough')
    expect(server.requests).toHaveLength(1)
  })

  it('B08 is not looked for at the addresses that a descriptor names', async () => {
    await using elsewhere = await startFaultServer()
    const foreign = { ...layer, urls: [`http://${elsewhere.host}/layer`] }
    expect(await failure(collect(remote().fetch(foreign)))).toMatchObject({ code: 'not_found' })
    expect(elsewhere.requests).toEqual([])
  })

  it('of an unknown media type is looked for among blobs, then among manifests', async () => {
    const unknown = { ...layer, mediaType: 'application/vnd.example' }
    server.on('GET', `/v2/app/manifests/${layer.digest}`, { body: content })
    expect((await collect(remote().fetch(unknown))).equals(content)).toBe(true)
    expect(server.requests.map(({ path }) => path.split('/')[3])).toEqual(['blobs', 'manifests'])
  })

  it('of no bytes needs no request', async () => {
    const empty = { ...layer, digest: digestOf(''), size: 0 }
    expect(await collect(remote().fetch(empty))).toHaveLength(0)
    expect(server.requests).toEqual([])
  })
})

describe('a status', () => {
  const codes: [number, string][] = [
    [400, 'invalid_argument'],
    [401, 'unauthenticated'],
    [403, 'permission_denied'],
    [404, 'not_found'],
    [429, 'resource_exhausted'],
    [500, 'unavailable'],
    [501, 'unimplemented'],
    [503, 'unavailable'],
    [204, 'unknown'],
  ]

  it.each(codes)('%i becomes %s, with what the body says', async (status, code) => {
    const errors = [{ code: 'SOME_CODE', message: 'some\nmessage', detail: {} }]
    server.on('GET', blobPath, { status, body: status === 204 ? '' : JSON.stringify({ errors }) })
    const error = await failure(collect(remote().fetch(layer)))
    expect(error.code).toBe(code)
    expect(error.message).toContain(server.host)
    if (status !== 204) expect(error.message).toContain('(SOME_CODE: some message)')
  })

  it.each([408, 429, 500, 502, 503, 504])('%i is tried again', async (status) => {
    server.on('GET', blobPath, { status }, { status }, { body: content })
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
  })

  it.each([400, 401, 403, 404, 501])('%i is not tried again', async (status) => {
    server.on('GET', blobPath, { status }, { body: content })
    await failure(collect(remote().fetch(layer)))
    expect(server.requests).toHaveLength(1)
  })

  it('that names a time is tried again then, within bounds', async () => {
    const busy = (seconds: string) => ({ status: 429, headers: { 'retry-after': seconds } })
    await using client = withOptions({ limits: { ...limits, maxRetryDelay: 1_500 } })
    server.on('GET', blobPath, busy('1'), { body: content })
    const started = performance.now()
    await collect(remote(client).fetch(layer))
    expect(performance.now() - started).toBeGreaterThan(990)
    server.on('GET', blobPath, busy('86400'), { body: content })
    await collect(remote(client).fetch(layer))
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  it('B02 with an endless body is reported all the same', async () => {
    await using endless = await serve((_, response) => {
      response.writeHead(404)
      const more = () => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', more)
      }
      more()
    })
    const fetched = collect(registry.remote(`${endless.host}/app:1`).fetch(layer))
    expect(await failure(fetched)).toMatchObject({ code: 'not_found' })
  })
})

describe('a connection', () => {
  it('that nobody takes is unavailable, naming the host', async () => {
    const { host } = server
    await server[Symbol.asyncDispose]()
    server = await startFaultServer()
    const error = await failure(registry.remote(`${host}/app:1`).resolve())
    expect(error).toMatchObject({ code: 'unavailable' })
    expect(error.message).toContain(host)
  })

  it('to a host that does not exist is unavailable, naming it, and not tried again', async () => {
    const traces: string[] = []
    await using client = withOptions({ onRequest: ({ url }) => traces.push(url), limits })
    const error = await failure(client.remote('registry.invalid/app:1').resolve())
    expect(error).toMatchObject({ code: 'unavailable' })
    expect(error.message).toContain('registry.invalid')
  })

  it('that is reset before the answer is tried again', async () => {
    server.on('GET', blobPath, { fault: 'reset' }, { body: content })
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
  })

  it('that stays silent is given up', async () => {
    await using client = withOptions({ limits: { ...limits, attempts: 2, headersTimeout: 200 } })
    server.on('GET', blobPath, { fault: 'silent' })
    expect(await failure(collect(remote(client).fetch(layer)))).toMatchObject({ code: 'unavailable' })
    expect(server.requests).toHaveLength(2)
  })

  it.each(['this is not HTTP\r\n\r\n', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`])(
    'that says nonsense fails with a code (%#)',
    async (answer) => {
      await using raw = await serveRaw((socket) => socket.end(answer))
      const error = await failure(registry.remote(`${raw.host}/app:1`).resolve())
      expect(['unavailable', 'invalid_argument']).toContain(error.code)
      expect(error.message).toContain(raw.host)
    },
  )

  it('ends with the client, and what is under way with it', async () => {
    const client = withOptions({ limits })
    server.on('GET', blobPath, { body: content, fault: { stallAfter: 1000 } })
    const chunks = remote(client).fetch(layer)[Symbol.asyncIterator]()
    await chunks.next()
    const [, next] = await Promise.all([client[Symbol.asyncDispose](), failure(chunks.next())])
    expect(next.code).toMatch(/unavailable|failed_precondition/)
    expect(await failure(remote(client).resolve())).toMatchObject({ code: 'failed_precondition' })
    expect(server.requests).toHaveLength(1)
  })

  it('is one of a bounded number to a host', async () => {
    let open = 0
    let most = 0
    await using counting = await serve(async (_, response) => {
      most = Math.max(most, ++open)
      await delay(20)
      open--
      response.end(content)
    })
    await using client = withOptions({ limits: { connections: 3 } })
    const one = client.remote(`${counting.host}/app:1`)
    await Promise.all(Array.from({ length: 12 }, () => collect(one.fetch(layer))))
    expect(most).toBe(3)
  })
})

describe('a tag', () => {
  it('is resolved by HEAD alone where that tells everything', async () => {
    server.on('HEAD', tagPath, { headers: manifestHeaders, body: manifest })
    expect(await remote().resolve()).toEqual(described)
    expect(server.requests).toMatchObject([{ method: 'HEAD' }])
    expect(server.requests[0]!.headers.accept).toContain(mediaTypes.ociIndex)
  })

  const { 'docker-content-digest': _, ...withoutDigest } = manifestHeaders
  it.each([
    ['without a digest', { headers: withoutDigest, body: manifest }],
    [
      'with a digest that is none',
      { headers: { ...manifestHeaders, 'docker-content-digest': 'x' }, body: manifest },
    ],
    [
      'with a type that says nothing',
      { headers: { ...manifestHeaders, 'content-type': 'text/plain' }, body: manifest },
    ],
    ['with status 405', { status: 405 }],
    ['with status 501', { status: 501 }],
    ['with status 400', { status: 400 }],
  ])('is resolved by GET after a HEAD %s', async (_, head) => {
    server.on('HEAD', tagPath, head)
    server.on('GET', tagPath, { headers: { 'content-type': 'application/octet-stream' }, body: manifest })
    expect(await remote().resolve()).toEqual(described)
  })

  it('B02 whose manifest has 5 MiB is refused, by its announcement and by its bytes', async () => {
    const huge = Buffer.alloc(5 * 1024 * 1024, ' ')
    server.on('HEAD', tagPath, { headers: manifestHeaders, body: huge })
    expect(await failure(remote().resolve())).toMatchObject({ code: 'invalid_argument' })
    server.on('HEAD', tagPath, { status: 405 })
    server.on('GET', tagPath, { headers: manifestHeaders, body: huge })
    expect(await failure(remote().resolve())).toMatchObject({ code: 'invalid_argument' })
  })

  it('B04 is not resolved to what the server says the digest is', async () => {
    server.on('HEAD', tagPath, { status: 405 })
    const wrong = { ...manifestHeaders, 'docker-content-digest': layer.digest }
    server.on('GET', tagPath, { headers: wrong, body: manifest })
    expect(await failure(remote().resolve())).toMatchObject({ code: 'invalid_argument' })
    server.on('HEAD', tagPath, {
      headers: { ...wrong, 'docker-content-digest': 'sha256:../../x' },
      body: manifest,
    })
    server.on('GET', tagPath, { headers: manifestHeaders, body: manifest })
    expect((await remote().resolve()).digest).toBe(described.digest)
  })

  it('B04 of a digest is refused if the answer is for another', async () => {
    const pinned = registry.remote(`${server.host}/app@${layer.digest}`)
    const path = `/v2/app/manifests/${layer.digest}`
    server.on('HEAD', path, { headers: manifestHeaders, body: manifest })
    expect(await failure(pinned.resolve())).toMatchObject({ code: 'invalid_argument' })
    server.on('HEAD', path, { status: 405 })
    server.on('GET', path, { body: manifest })
    expect(await failure(pinned.resolve())).toMatchObject({ code: 'invalid_argument' })
  })

  it('B01 of a document that reads as an index and as a manifest is refused, whatever type it comes with', async () => {
    const both = JSON.stringify({ schemaVersion: 2, manifests: [], layers: [], config: {} })
    server.on('HEAD', tagPath, { status: 405 })
    server.on('GET', tagPath, { body: both })
    expect(await failure(remote().resolve())).toMatchObject({ code: 'invalid_argument' })
  })

  it('that is missing from the reference, as is a digest, is refused', async () => {
    const bare = registry.remote(`${server.host}/app`)
    expect(await failure(bare.resolve())).toMatchObject({ code: 'invalid_argument' })
  })

  it('C10 cannot leave the repository or add to the request', () => {
    for (const name of [
      'a/..%2f..%2fb:1',
      'a/../b:1',
      'app:1\r\nX: y',
      'app:1?x=y',
      'app:1#x',
      'APP:1',
      'app@md5:00',
    ])
      expect(() => registry.remote(`${server.host}/${name}`), name).toThrow(/invalid reference/)
  })
})

describe('an upload', () => {
  it('may take longer than the head of an answer, as long as the registry takes it in', async () => {
    await using slow = await serve(async (request, response) => {
      if (request.method === 'HEAD') return response.writeHead(404).end()
      if (request.method === 'POST') return response.writeHead(202, { location: '/upload' }).end()
      for await (const _ of request) await delay(10)
      await delay(1_500)
      return response.writeHead(201).end()
    })
    await using client = withOptions({
      limits: { ...limits, attempts: 1, headersTimeout: 300, uploadTimeout: 10_000 },
    })
    const size = 6_000_000
    const digest = digestOf('large')
    async function* large() {
      for (let sent = 0; sent < size; sent += 100_000) yield new Uint8Array(100_000)
    }
    const started = performance.now()
    const push = () => client.remote(`${slow.host}/app:1`).push({ ...blob, digest, size }, large)
    expect(await push()).toBe('pushed')
    expect(performance.now() - started).toBeGreaterThan(1_500)
  })

  it('of which the registry takes nothing in is given up', async () => {
    await using stuck = await serve((request, response) => {
      if (request.method === 'HEAD') response.writeHead(404).end()
      if (request.method === 'POST') response.writeHead(202, { location: '/upload' }).end()
    })
    await using client = withOptions({ limits: { ...limits, attempts: 1, uploadTimeout: 300 } })
    const content = new Uint8Array(20_000_000)
    async function* large() {
      yield content
    }
    const pushed = client
      .remote(`${stuck.host}/app:1`)
      .push({ ...blob, digest: digestOf('large'), size: content.length }, large)
    expect(await failure(pushed)).toMatchObject({ code: 'unavailable' })
  })

  const uploads = '/v2/app/blobs/uploads/'
  const blob = { mediaType: 'application/octet-stream', digest: digestOf('abc'), size: 3 }
  async function* read() {
    yield Buffer.from('abc')
  }

  it.each(['/v2/app/blobs/uploads/id?_state=x', 'id?_state=x'])(
    'goes to a place relative to the registry: %s',
    async (location) => {
      server.on('POST', uploads, { status: 202, headers: { location } })
      server.on('PUT', '/v2/app/blobs/uploads/id', { status: 201 })
      expect(await remote().push(blob, read)).toBe('pushed')
      const put = server.requests.find(({ method }) => method === 'PUT')!
      const query = new URL(put.path, 'http://x').searchParams
      expect(Object.fromEntries(query)).toEqual({ _state: 'x', digest: blob.digest })
      expect(put.headers).toMatchObject({ 'content-length': '3', 'content-type': 'application/octet-stream' })
    },
  )

  it('C04 is not sent to another origin', async () => {
    await using elsewhere = await startFaultServer()
    server.on('POST', uploads, { status: 202, headers: { location: `http://${elsewhere.host}/upload` } })
    expect(await failure(remote().push(blob, read))).toMatchObject({ code: 'failed_precondition' })
    expect(elsewhere.requests).toEqual([])
  })

  it('without a place to go to is refused', async () => {
    server.on('POST', uploads, { status: 202 })
    expect(await failure(remote().push(blob, read))).toMatchObject({ code: 'invalid_argument' })
  })

  it('that fails for a passing reason is begun anew with the content from its start', async () => {
    server.on('POST', uploads, { status: 202, headers: { location: '/upload' } })
    server.on('PUT', '/upload', { status: 503 }, { status: 201 })
    expect(await remote().push(blob, read)).toBe('pushed')
    expect(server.requests.map(({ method }) => method)).toEqual([
      'HEAD',
      'POST',
      'PUT',
      'DELETE',
      'HEAD',
      'POST',
      'PUT',
    ])
  })

  it('is failed_precondition if the registry computed another digest', async () => {
    server.on('POST', uploads, { status: 202, headers: { location: '/upload' } })
    server.on('PUT', '/upload', { status: 201, headers: { 'docker-content-digest': digestOf('abd') } })
    expect(await failure(remote().push(blob, read))).toMatchObject({ code: 'failed_precondition' })
    const body = JSON.stringify({ errors: [{ code: 'DIGEST_INVALID', message: 'no' }] })
    server.on('PUT', '/upload', { status: 400, body })
    expect(await failure(remote().push(blob, read))).toMatchObject({ code: 'failed_precondition' })
  })

  it('C10 does not mount from a repository whose name is none', async () => {
    const pushed = remote().push(blob, read, { mountFrom: ['../other'] })
    expect(await failure(pushed)).toMatchObject({ code: 'invalid_argument' })
  })

  it('is abandoned where another repository may have the blob, and mounts from there', async () => {
    const started = { status: 202, headers: { location: '/upload' } }
    server.on('POST', uploads, started, { status: 201 })
    server.on('DELETE', '/upload', { status: 204 })
    expect(await remote().push(blob, read, { mountFrom: ['one', 'two'] })).toBe('mounted')
    expect(server.requests.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'DELETE', 'POST'])
  })

  it('of a manifest moves the tag only with the digest that the reference names', async () => {
    server.on('PUT', tagPath, { status: 201 })
    server.on('PUT', `/v2/app/manifests/${described.digest}`, { status: 201 })
    async function* document() {
      yield Buffer.from(manifest)
    }
    const push = (reference: string) => registry.remote(reference).push(described, document)
    await push(`${server.host}/app:1`)
    await push(`${server.host}/app:1@${described.digest}`)
    await push(`${server.host}/app:1@${layer.digest}`)
    const puts = server.requests.filter(({ method }) => method === 'PUT')
    expect(puts.map(({ path }) => path.split('/').pop())).toEqual(['1', '1', described.digest])
    expect(puts[0]!.headers['content-type']).toBe(described.mediaType)
  })

  it('of a manifest whose tag points elsewhere is sent', async () => {
    server.on('HEAD', tagPath, { headers: { 'docker-content-digest': layer.digest } })
    server.on('PUT', tagPath, { status: 201 })
    async function* document() {
      yield Buffer.from(manifest)
    }
    expect(await remote().push(described, document)).toBe('pushed')
  })
})

/** A server for answers that no table of replies can give. */
async function serve(
  handler: Parameters<typeof createServer>[1],
): Promise<{ host: string } & AsyncDisposable> {
  return listening(createServer(handler as never))
}

async function serveRaw(onConnection: (socket: Socket) => void): Promise<{ host: string } & AsyncDisposable> {
  return listening(createTcpServer((socket) => onConnection(socket.resume().on('error', () => {}))))
}

async function listening(server: Server | ReturnType<typeof createTcpServer>) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      if ('closeAllConnections' in server) server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
