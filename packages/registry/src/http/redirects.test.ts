import { buffer as collect } from 'node:stream/consumers'
import { digestOf } from '@nsbox/oci'
import { startFaultServer } from '@nsbox/testing'
import { describe, expect, it } from 'vitest'
import { createRegistry } from '../registry.ts'
import type { Exchange, Reply } from './exchange.ts'
import { followRedirects } from './redirects.ts'
import { SentSecrets } from './sent-secrets.ts'
import { tlsSettings } from './tls-settings.ts'

/** Answers of servers elsewhere, which tests cannot have: by address, each a place to go to, or none. */
function network(places: Record<string, string>) {
  const sent: Exchange[] = []
  const send = async (exchange: Exchange) => {
    sent.push(exchange)
    const location = places[exchange.url.href]
    return {
      status: location === undefined ? 200 : 307,
      headers: { location },
      body: { dump: async () => {} },
      url: exchange.url,
      address: exchange.url.href,
      secrets: new SentSecrets(),
    } as unknown as Reply
  }
  return { sent, send }
}

const tls = tlsSettings({ ca: ['authority'], client: [{ cert: 'certificate' }] })
const exchange = (url: string): Exchange => ({
  method: 'GET',
  url: new URL(url),
  headers: { accept: 'a', authorization: 'Bearer secret', 'x-custom': 'secret', range: 'bytes=1-' },
  tls,
})

describe('a redirect', () => {
  it('within the origin keeps everything', async () => {
    const { sent, send } = network({ 'https://registry.test/v2/a': '/v2/b' })
    const reply = await followRedirects(send, exchange('https://registry.test/v2/a'))
    expect(reply.url.href).toBe('https://registry.test/v2/b')
    expect(sent[1]).toMatchObject({ headers: sent[0]!.headers, tls })
  })

  it('B08 to another origin loses credentials, headers and client certificates, even on the way back', async () => {
    const { sent, send } = network({
      'https://registry.test/v2/a': 'https://user:password@storage.test/b?signature=x',
      'https://storage.test/b?signature=x': 'https://registry.test/v2/c',
    })
    await followRedirects(send, exchange('https://registry.test/v2/a'))
    for (const { headers, tls } of sent.slice(1)) {
      expect(headers).toEqual({ accept: 'a', range: 'bytes=1-' })
      expect(tls).toEqual(tlsSettings({ ca: ['authority'] }))
    }
    expect(sent.map(({ url }) => url.username)).toEqual(['', '', ''])
  })

  it.each([
    ['C01 from https to http', 'https://registry.test/a', 'http://registry.test/a'],
    ['C01 from elsewhere to this machine', 'https://registry.test/a', 'https://localhost/a'],
    ['C01 from elsewhere to a loopback address', 'http://registry.test/a', 'http://127.1/a'],
    [
      'B08 from elsewhere to a link-local address',
      'http://registry.test/a',
      'http://169.254.169.254/latest/meta-data',
    ],
    [
      'B08 from elsewhere to a link-local address in IPv6 form',
      'http://registry.test/a',
      'http://[::ffff:169.254.169.254]/',
    ],
  ])('%s is refused', async (_, from, to) => {
    const { sent, send } = network({ [from]: to })
    await expect(followRedirects(send, exchange(from))).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(sent).toHaveLength(1)
  })

  it('to itself ends after ten', async () => {
    const { sent, send } = network({ 'https://registry.test/a': '/a' })
    const followed = followRedirects(send, exchange('https://registry.test/a'))
    await expect(followed).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(sent).toHaveLength(11)
  })

  it.each(['file:///etc/passwd', 'gopher://x/', 'http://'])('to %s is refused', async (to) => {
    const { send } = network({ 'http://registry.test/a': to })
    const followed = followRedirects(send, exchange('http://registry.test/a'))
    await expect(followed).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  it('C01 of a blob takes no credentials along, and asks for none on behalf of the storage', async () => {
    await using registry = await startFaultServer()
    await using storage = await startFaultServer()
    const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('abc'), size: 3 }
    const path = `/v2/app/blobs/${blob.digest}`
    const challenge = { 'www-authenticate': 'Basic realm="x"' }
    registry.on('GET', path, ({ headers }) =>
      headers.authorization
        ? { status: 307, headers: { location: `http://${storage.host}/blob?X-Signature=s3cret` } }
        : { status: 401, headers: challenge },
    )
    storage.on('GET', '/blob', { body: 'abc' }, { status: 401, headers: challenge })
    const asked: string[] = []
    await using client = createRegistry({
      defaultScheme: 'http',
      headers: { 'x-api-key': 'key' },
      credentials: async ({ host }) => {
        asked.push(host)
        return { kind: 'basic', username: 'ann', password: 'sesame' }
      },
    })
    const remote = client.remote(`${registry.host}/app:1`)
    expect((await collect(remote.fetch(blob))).toString()).toBe('abc')
    const error = await collect(remote.fetch(blob)).catch((reason) => reason)
    expect(error).toMatchObject({ code: 'unauthenticated' })
    expect(error.message).not.toContain('s3cret')
    for (const { headers } of storage.requests) {
      expect(headers.authorization).toBeUndefined()
      expect(headers['x-api-key']).toBeUndefined()
    }
    expect(registry.requests.at(-1)!.headers).toMatchObject({ 'x-api-key': 'key' })
    expect(asked).toEqual([registry.host])
  })
})
