import { buffer as collect } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { failure } from '../testing/failure.ts'
import {
  blobPath,
  content,
  layer,
  limits,
  registry,
  remote,
  replaceServer,
  server,
  useFaultServer,
  withOptions,
} from '../testing/fault-registry.ts'
import { serve, serveRaw } from '../testing/odd-server.ts'

useFaultServer()

describe('a connection', () => {
  it('that nobody takes is unavailable, naming the host', async () => {
    const { host } = server
    await replaceServer()
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
