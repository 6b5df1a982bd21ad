import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer as collect, text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type { CredentialSource } from '@nsbox/core/transfer'
import { digestOf } from '@nsbox/oci'
import { needs, runOrThrow, startProcess, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { RequestTrace } from '../http/connections.ts'
import { createRegistry } from '../registry.ts'

const user = { kind: 'basic', username: 'ann', password: 'sesame' } as const
const service = 'registry.test'

interface TokenRequest {
  readonly method: string
  readonly parameters: URLSearchParams
  readonly headers: IncomingHttpHeaders
}

/** Grants pulling from `public/…` to everybody, and everything to ann. */
function grants(scope: string, isAnn: boolean) {
  const [type, name, actions] = scope.split(':')
  const wanted = actions!.split(',')
  return {
    type,
    name,
    actions: isAnn ? wanted : wanted.filter((action) => action === 'pull' && name!.startsWith('public/')),
  }
}

/** A token server whose tokens docker-registry believes. */
class TokenServer implements AsyncDisposable {
  readonly requests: TokenRequest[] = []
  lifetime = 60
  readonly #server = createServer((request, response) => {
    void text(request).then((body) => {
      const url = new URL(request.url!, 'http://token')
      const parameters = request.method === 'POST' ? new URLSearchParams(body) : url.searchParams
      this.requests.push({ method: request.method!, parameters, headers: request.headers })
      const basic = Buffer.from(
        (request.headers.authorization ?? '').replace('Basic ', ''),
        'base64',
      ).toString()
      const isAnn = basic === 'ann:sesame' || parameters.get('refresh_token') === 'refresh-secret'
      if (!isAnn && (basic !== '' || request.method === 'POST')) {
        response.writeHead(401, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: `bad ${basic}` }] }))
        return
      }
      const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '))
      const name = request.method === 'POST' ? 'access_token' : 'token'
      const token = this.#token(scopes.map((scope) => grants(scope, isAnn)))
      response.end(JSON.stringify({ [name]: token, expires_in: this.lifetime }))
    })
  })
  readonly #key: string
  readonly #certificate: string

  constructor(key: string, certificate: string) {
    this.#key = key
    this.#certificate = certificate
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/token`
  }

  #token(access: object[]): string {
    const now = Math.floor(Date.now() / 1000)
    const x5c = [new X509Certificate(this.#certificate).raw.toString('base64')]
    const parts = [
      { typ: 'JWT', alg: 'ES256', x5c },
      {
        iss: 'test',
        sub: 'ann',
        aud: service,
        exp: now + 300,
        nbf: now - 300,
        iat: now,
        jti: randomUUID(),
        access,
      },
    ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    const key = createPrivateKey(this.#key)
    const signature = sign('sha256', Buffer.from(parts.join('.')), { key, dsaEncoding: 'ieee-p1363' })
    return [...parts, signature.toString('base64url')].join('.')
  }

  async [Symbol.asyncDispose]() {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const missing = needs({ programs: ['docker-registry', 'openssl'] })

describe.skipIf(missing)(`a real registry with a token server${missing ? ` (${missing})` : ''}`, () => {
  const resources = new AsyncDisposableStack()
  let tokens: TokenServer
  let host: string

  beforeAll(async () => {
    const { path } = resources.use(await tempDir('nsbox-registry-bearer'))
    const [key, certificate] = [join(path, 'key.pem'), join(path, 'cert.pem')]
    const self = ['-subj', '/CN=tokens', '-days', '2', '-nodes', '-keyout', key, '-out', certificate]
    await runOrThrow('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      ...self,
    ])
    tokens = resources.use(new TokenServer(await readFile(key, 'utf8'), await readFile(certificate, 'utf8')))
    const config = {
      version: '0.1',
      storage: { filesystem: { rootdirectory: join(path, 'storage') } },
      http: { addr: '127.0.0.1:0' },
      auth: { token: { realm: await tokens.listen(), service, issuer: 'test', rootcertbundle: certificate } },
    }
    await writeFile(join(path, 'config.yml'), JSON.stringify(config))
    const ready = /listening on (127\.0\.0\.1:\d+)/
    const process = resources.use(
      await startProcess('docker-registry', ['serve', join(path, 'config.yml')], { ready }),
    )
    host = ready.exec(process.output)![1]!
    await using registry = createRegistry({ credentials: async () => user })
    for (const name of ['public/one', 'private/one'])
      expect(await registry.remote(`${host}/${name}:1`).push(blob, read)).toBe('pushed')
  })

  afterAll(() => resources.disposeAsync())

  beforeEach(() => {
    tokens.requests.length = 0
    tokens.lifetime = 60
  })

  const content = Buffer.from('the content')
  const blob = { mediaType: 'application/octet-stream', digest: digestOf(content), size: content.length }
  async function* read() {
    yield content
  }

  /** A client with a record of its requests to the registry. */
  function client(credentials?: CredentialSource) {
    const traces: RequestTrace[] = []
    const registry = createRegistry({
      credentials,
      onRequest: (trace) => trace.url.includes('/v2/') && traces.push(trace),
    })
    return { registry, traces, statuses: () => traces.map(({ status }) => status) }
  }

  it('reads what is public without credentials', async () => {
    const { registry, statuses } = client()
    await using _ = registry
    const bytes = await collect(registry.remote(`${host}/public/one:1`).fetch(blob))
    expect(bytes.equals(content)).toBe(true)
    expect(statuses()).toEqual([401, 200])
    expect(tokens.requests.map(({ method }) => method)).toEqual(['GET'])
    expect(tokens.requests[0]!.headers.authorization).toBeUndefined()
    expect(Object.fromEntries(tokens.requests[0]!.parameters)).toEqual({
      service,
      scope: 'repository:public/one:pull',
    })
  })

  it('reads what is private with a name and a password, which only the token server gets', async () => {
    const { registry, statuses } = client(async () => user)
    await using _ = registry
    const remote = registry.remote(`${host}/private/one:1`)
    for (let count = 0; count < 3; count++) await collect(remote.fetch(blob))
    expect(statuses()).toEqual([401, 200, 200, 200])
    expect(tokens.requests).toHaveLength(1)
    expect(tokens.requests[0]!.headers.authorization).toMatch(/^Basic /)
  })

  it('trades a refresh token for one', async () => {
    const { registry } = client(async () => ({ kind: 'refresh', token: 'refresh-secret' }))
    await using _ = registry
    await collect(registry.remote(`${host}/private/one:1`).fetch(blob))
    expect(tokens.requests).toMatchObject([{ method: 'POST' }])
    expect(Object.fromEntries(tokens.requests[0]!.parameters)).toMatchObject({
      grant_type: 'refresh_token',
      scope: 'repository:private/one:pull',
      service,
    })
  })

  it('asks once for what many requests need at the same time', async () => {
    const { registry } = client(async () => user)
    await using _ = registry
    const remote = registry.remote(`${host}/private/one:1`)
    await Promise.all(Array.from({ length: 6 }, () => collect(remote.fetch(blob))))
    expect(tokens.requests).toHaveLength(1)
  })

  it('does not take the token away from others when one request is aborted', async () => {
    const { registry } = client(async () => {
      await delay(100)
      return user
    })
    await using _ = registry
    const remote = registry.remote(`${host}/private/one:1`)
    const controller = new AbortController()
    const aborted = collect(remote.fetch(blob, { signal: controller.signal }))
    const other = collect(remote.fetch(blob))
    const abort = delay(50).then(() => controller.abort(new Error('enough')))
    await expect(aborted).rejects.toThrow('enough')
    expect((await other).equals(content)).toBe(true)
    await abort
  })

  it('gets a new token before the old one expires', async () => {
    tokens.lifetime = 1
    const { registry, statuses } = client(async () => user)
    await using _ = registry
    const remote = registry.remote(`${host}/private/one:1`)
    await collect(remote.fetch(blob))
    await delay(800)
    await collect(remote.fetch(blob))
    expect(statuses()).toEqual([401, 200, 200])
    expect(tokens.requests).toHaveLength(2)
  })

  it('keeps tokens of repositories apart, and asks for the next without being refused first', async () => {
    const { registry, statuses } = client(async () => user)
    await using _ = registry
    await collect(registry.remote(`${host}/private/one:1`).fetch(blob))
    await collect(registry.remote(`${host}/public/one:1`).fetch(blob))
    expect(statuses()).toEqual([401, 200, 200])
    const scopes = tokens.requests.map(({ parameters }) => parameters.get('scope'))
    expect(scopes).toEqual(['repository:private/one:pull', 'repository:public/one:pull'])
  })

  it('asks for both actions to push, and for the other repository to mount from', async () => {
    const { registry } = client(async () => user)
    await using _ = registry
    const outcome = await registry
      .remote(`${host}/private/two:1`)
      .push(blob, read, { mountFrom: ['private/one'] })
    expect(outcome).toBe('mounted')
    expect(tokens.requests.map(({ parameters }) => parameters.getAll('scope'))).toEqual([
      ['repository:private/two:pull,push'],
      ['repository:private/one:pull', 'repository:private/two:pull,push'],
    ])
  })

  it('C06 says unauthenticated where the token does not suffice or is refused, without the password', async () => {
    const anonymous = client()
    await using _ = anonymous.registry
    const denied = collect(anonymous.registry.remote(`${host}/private/one:1`).fetch(blob))
    await expect(denied).rejects.toMatchObject({ code: 'unauthenticated' })
    const wrong = client(async () => ({ ...user, password: 'not the password' }))
    await using __ = wrong.registry
    const error = await collect(wrong.registry.remote(`${host}/private/one:1`).fetch(blob)).catch((e) => e)
    expect(error).toMatchObject({ code: 'unauthenticated' })
    expect(error.message).toContain('UNAUTHORIZED')
    expect(error.message).not.toContain('not the password')
  })
})
