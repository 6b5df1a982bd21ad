import { mkdir, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { buffer as collect, text } from 'node:stream/consumers'
import { inspect } from 'node:util'
import type { Credentials } from '@nsbox/core/transfer'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { describe, expect, it } from 'vitest'
import { createRegistry, type RegistryOptions } from '../registry.ts'
import { type OddServer, serve } from '../testing/odd-server.ts'
import { networkError } from './network-error.ts'
import { remoteText } from './redact.ts'
import { SentSecrets } from './sent-secrets.ts'

/** Has all that a form of it may change. */
const secret = 'pässword/+&="x" of ann'
const token = 'tok-en/with+signs=='

function forms(of: string): string[] {
  const base64 = Buffer.from(of).toString('base64')
  const encoded = encodeURIComponent(of)
  return [
    of,
    base64,
    base64.replace(/=+$/, ''),
    Buffer.from(of).toString('base64url'),
    encoded,
    encoded.replace(/%../g, (code) => code.toLowerCase()),
    new URLSearchParams({ x: of }).toString().slice(2),
    JSON.stringify(of).slice(1, -1),
  ]
}

describe('secrets that were sent', () => {
  const noted = (request: { headers?: Record<string, string>; url?: string; body?: string }) => {
    const secrets = new SentSecrets()
    secrets.note({ headers: {}, ...request, url: new URL(request.url ?? 'https://a.test') })
    return secrets
  }

  it('E09 are hidden in each form in which they may come back', () => {
    const basic = `Basic ${Buffer.from(`ann:${secret}`).toString('base64')}`
    for (const form of [...forms(secret), ...forms(`ann:${secret}`)])
      expect(noted({ headers: { authorization: basic } }).hide(`<${form}>`)).toBe('<***>')
    const others = [
      noted({ headers: { authorization: `Bearer ${token}` } }),
      noted({ headers: { 'x-api-key': token } }),
      noted({ headers: { cookie: `a=b; session=${token.replace(/=+$/, '')}` } }),
      noted({ url: `https://a.test/?X-Amz-Signature=${encodeURIComponent(token)}` }),
      noted({ body: new URLSearchParams({ refresh_token: token, scope: 'x' }).toString() }),
    ]
    for (const secrets of others) expect(secrets.hide(`<${token}>`)).not.toContain('with+signs')
  })

  it('E09 are hidden as words if they are short, and what is no secret stays', () => {
    const short = noted({ headers: { authorization: `Basic ${Buffer.from('ann:a.').toString('base64')}` } })
    expect(short.hide('a. is not a.b. of anna.')).toBe('*** is not a.b. of anna.')
    const secrets = noted({
      headers: { accept: 'application/json', 'x-count': '1' },
      url: 'https://a.test/?ns=docker.io&scope=repository:a:pull',
    })
    for (const said of ['application/json', '1', 'docker.io', 'repository:a:pull'])
      expect(secrets.hide(said)).toBe(said)
  })

  it('E09 are hidden where invisible characters stand between', () => {
    const secrets = noted({ headers: { authorization: `Bearer ${token}` } })
    expect(remoteText(`bad tok-\u200ben/with+\u00adsigns==!`, secrets)).toBe('bad ***!')
  })

  it('E09 are hidden in a text that is cut', () => {
    const secrets = noted({ headers: { authorization: `Bearer ${token}` } })
    expect(remoteText(`${'x'.repeat(505)}${token}`, secrets)).not.toContain('tok')
  })

  it('E09 are the last ones, in bounds', () => {
    const secrets = new SentSecrets()
    const send = (value: string) =>
      secrets.note({ headers: { authorization: `Bearer ${value}` }, url: new URL('https://a.test') })
    send('the-first')
    for (let number = 0; number < 100; number += 1) send(`number-${number}!`)
    expect(secrets.hide('number-99! number-40!')).toBe('*** ***')
    expect(secrets.hide('the-first')).toBe('the-first')
    send('y'.repeat(100_000))
    expect(secrets.hide('y'.repeat(1000))).toBe('y'.repeat(1000))
  })

  it('E09 are hidden in what a certificate says', () => {
    const secrets = noted({ headers: { authorization: `Bearer ${token}` } })
    const cause = Object.assign(new Error(`not in the altnames: DNS:${token}`), {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    })
    expect(inspect(networkError(cause, 'GET a', secrets), { depth: 5 })).not.toContain(token)
  })
})

const blob = { mediaType: mediaTypes.ociLayer, digest: digestOf('abc'), size: 3 }

/** Ways in which a server says something, each of which ends in an error. */
const echoes: Record<string, (said: string, request: IncomingMessage, response: ServerResponse) => void> = {
  'a message in JSON': (said, _, response) =>
    response.writeHead(403).end(JSON.stringify({ errors: [{ code: 'DENIED', message: `no: ${said}` }] })),
  'a code in JSON': (said, _, response) =>
    response.writeHead(403).end(JSON.stringify({ errors: [{ code: said, message: '' }] })),
  'details in JSON': (said, _, response) =>
    response.writeHead(500).end(JSON.stringify({ details: `unexpected status ${said}` })),
  'plain text': (said, _, response) =>
    response.writeHead(400, { 'content-type': 'text/plain; charset=utf-8' }).end(`no: ${said}`),
  'a redirect that is refused': (said, _, response) =>
    response.writeHead(307, { location: `http://0.0.0.0/${encodeURIComponent(said)}` }).end(),
  'a redirect that leads to an error': (said, request, response) =>
    request.url!.startsWith('/gone')
      ? response.writeHead(404).end()
      : response.writeHead(307, { location: `/gone/${encodeURIComponent(said)}` }).end(),
  'a realm that is refused': (said, _, response) =>
    response
      .writeHead(401, { 'www-authenticate': `Bearer realm="ftp://a/${encodeURIComponent(said)}"` })
      .end(),
  'a digest': (said, _, response) =>
    response.writeHead(200, { 'docker-content-digest': encodeURIComponent(said) }).end('{}'),
  'a media type': (said, request, response) =>
    response
      .writeHead(request.method === 'HEAD' ? 405 : 200)
      .end(JSON.stringify({ mediaType: `application/${said}`, schemaVersion: 2 })),
}

describe.each(Object.entries(echoes))('E09 a secret that comes back in %s', (_, echo) => {
  /** All that is told of the failures of a client, with a server that echoes what `secretOf` finds in a request. */
  async function told(
    secretOf: (request: IncomingMessage, body: string) => string | undefined,
    options: (server: OddServer) => Promise<RegistryOptions> | RegistryOptions,
    challenge?: (host: string) => string,
  ): Promise<string> {
    let echoed = 0
    await using server: OddServer = await serve((request, response) => {
      void text(request).then((body) => {
        const said = secretOf(request, body)
        if (said !== undefined || challenge === undefined) {
          echoed += 1
          echo(said ?? '', request, response)
        } else response.writeHead(401, { 'www-authenticate': challenge(server.host) }).end()
      })
    })
    const traces: unknown[] = []
    await using client = createRegistry({
      defaultScheme: 'http',
      limits: { attempts: 1 },
      onRequest: (trace) => traces.push(trace),
      ...(await options(server)),
    })
    const remote = client.remote(`${server.host}/app:1`)
    const attempts: Promise<unknown>[] = [
      remote.resolve(),
      collect(remote.fetch(blob)),
      remote.push(blob, async function* () {
        yield Buffer.from('abc')
      }),
    ]
    const errors = (await Promise.allSettled(attempts)).flatMap((attempt) =>
      attempt.status === 'rejected' ? [attempt.reason] : [],
    )
    expect(errors.length).toBeGreaterThan(0)
    expect(echoed).toBeGreaterThan(0)
    return inspect([errors, traces], { depth: 10, maxStringLength: null })
  }
  const expectHidden = (said: string, ...secrets: string[]) => {
    for (const each of secrets) for (const form of forms(each)) expect(said).not.toContain(form)
  }
  const given = (credentials: Credentials) => () => ({ credentials: async () => credentials })

  it('is hidden if it is a password', async () => {
    const sent = ({ headers }: IncomingMessage) => headers.authorization?.replace('Basic ', '')
    const decoded = (request: IncomingMessage) => {
      const value = sent(request)
      return value && Buffer.from(value, 'base64').toString().replace('ann:', '')
    }
    for (const find of [sent, decoded]) {
      const basic = given({ kind: 'basic', username: 'ann', password: secret })
      expectHidden(await told(find, basic, () => 'Basic realm="x"'), secret, `ann:${secret}`)
    }
  })

  it('is hidden if it is a refresh token', async () => {
    const find = (request: IncomingMessage, body: string) =>
      request.method === 'POST' ? (new URLSearchParams(body).get('refresh_token') ?? undefined) : undefined
    const challenge = (host: string) => `Bearer realm="http://${host}/token",service="x"`
    expectHidden(await told(find, given({ kind: 'refresh', token: secret }), challenge), secret)
  })

  it('is hidden if it is a token', async () => {
    const find = ({ headers }: IncomingMessage) => headers.authorization?.replace('Bearer ', '')
    const header = given({ kind: 'header', authorization: `Bearer ${token}` })
    expectHidden(await told(find, header, () => 'Basic realm="x"'), token)
  })

  it('is hidden if it is a configured header', async () => {
    const find = ({ headers }: IncomingMessage) => headers['x-api-key'] as string | undefined
    expectHidden(await told(find, () => ({ headers: { 'x-api-key': token } })), token)
    await using directory = await tempDir('nsbox-hosts')
    const configured = async ({ host }: OddServer) => {
      await mkdir(join(directory.path, host))
      const toml = `[host."http://${host}".header]\nx-api-key = "${token}"\n`
      await writeFile(join(directory.path, host, 'hosts.toml'), `server = "http://${host}"\n${toml}`)
      return { hostsDir: directory.path }
    }
    expectHidden(await told(find, configured), token)
  })
})
