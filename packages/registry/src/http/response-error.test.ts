import { buffer as collect } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { failure } from '../testing/failure.ts'
import {
  blobPath,
  content,
  layer,
  limits,
  registry,
  remote,
  server,
  useFaultServer,
  withOptions,
} from '../testing/fault-registry.ts'
import { serve } from '../testing/odd-server.ts'

useFaultServer()

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
