import { setTimeout as delay } from 'node:timers/promises'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { startFaultServer } from '@nsbox/testing'
import { describe, expect, it } from 'vitest'
import { failure } from '../testing/failure.ts'
import {
  described,
  limits,
  manifest,
  registry,
  remote,
  server,
  tagPath,
  useFaultServer,
  withOptions,
} from '../testing/fault-registry.ts'
import { serve } from '../testing/odd-server.ts'

const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf('layer'), size: 5 }
useFaultServer()

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

  it.each([
    [
      'says that another blob was mounted',
      { status: 201, headers: { 'docker-content-digest': digestOf('x') } },
    ],
    ['does not know mounting', { status: 405 }],
    ['fails at it', { status: 500 }],
    ['answers with something else', { status: 204 }],
  ])('is made where the registry %s', async (_, answer) => {
    server.on('POST', uploads, answer, answer, { status: 202, headers: { location: '/upload' } })
    server.on('PUT', '/upload', { status: 201 })
    expect(await remote().push(blob, read, { mountFrom: ['one', 'two'] })).toBe('pushed')
    expect(server.requests.map(({ method }) => method)).toEqual(['HEAD', 'POST', 'POST', 'POST', 'PUT'])
  })

  it('C04 is not sent to where a mount leads, if that is another origin', async () => {
    await using elsewhere = await startFaultServer()
    server.on('POST', uploads, { status: 202, headers: { location: `http://${elsewhere.host}/upload` } })
    const pushed = remote().push(blob, read, { mountFrom: ['one'] })
    expect(await failure(pushed)).toMatchObject({ code: 'failed_precondition' })
    expect(elsewhere.requests).toEqual([])
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
