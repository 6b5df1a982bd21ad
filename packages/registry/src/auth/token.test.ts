import { buffer as collect } from 'node:stream/consumers'
import { digestOf } from '@nsbox/oci'
import { type FaultReply, type FaultServer, startFaultServer } from '@nsbox/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createRegistry, type RegistryOptions } from '../registry.ts'
import { checkRealm } from './token.ts'

/** Of requests without secrets. */
const nothing = { hide: (text: string) => text }

describe('the place of a token server', () => {
  const refused = (realm: string | undefined, registry: string) => {
    try {
      checkRealm(realm, new URL(registry), nothing)
    } catch (error) {
      return (error as { code: string }).code
    }
    return undefined
  }

  it('may be of another origin, over https', () => {
    const realm = checkRealm(
      'https://user:x@auth.docker.io/token?a=b#c',
      new URL('https://registry-1.docker.io'),
      nothing,
    )
    expect(realm.href).toBe('https://auth.docker.io/token?a=b')
  })

  it('C01 may be plain http only for a registry that is', () => {
    expect(refused('http://auth.test/token', 'https://registry.test')).toBe('failed_precondition')
    expect(refused('http://auth.test/token', 'http://registry.test')).toBeUndefined()
  })

  it('C01 may be inside only for a registry that is', () => {
    for (const host of [
      'localhost',
      '127.0.0.1:8080',
      '[::1]',
      '169.254.169.254',
      '0x7f000001',
      'a.localhost',
    ]) {
      expect(refused(`https://${host}/token`, 'https://registry.test'), host).toBe('failed_precondition')
      expect(refused(`http://${host}/token`, 'http://registry.test'), host).toBe('failed_precondition')
    }
    expect(refused('http://localhost:1/token', 'http://127.0.0.1:5000')).toBeUndefined()
  })

  it('must be there and be a URL', () => {
    for (const realm of [undefined, '', '/token', 'file:///token', 'ftp://auth.test'])
      expect(refused(realm, 'https://registry.test')).toBe('invalid_argument')
  })
})

describe('a token server', () => {
  let registry: FaultServer
  let server: FaultServer
  const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('abc'), size: 3 }

  beforeEach(async () => {
    registry = await startFaultServer()
    server = await startFaultServer()
    const challenge = `Bearer realm="http://${server.host}/token",service="s",scope="repository:app:pull extra"`
    registry.on('GET', `/v2/app/blobs/${blob.digest}`, ({ headers }) =>
      headers.authorization ? { body: 'abc' } : { status: 401, headers: { 'www-authenticate': challenge } },
    )
  })

  afterEach(async () => {
    await registry[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  async function fetched(options: RegistryOptions = {}): Promise<string> {
    await using client = createRegistry({
      defaultScheme: 'http',
      ...options,
      limits: { retryDelay: 1, attempts: 3, ...options.limits },
    })
    return (await collect(client.remote(`${registry.host}/app:1`).fetch(blob))).toString()
  }

  const refused = async (options?: RegistryOptions) => {
    const error = await fetched(options).catch((reason) => reason)
    expect(error.message).not.toMatch(/sesame|s3cret/)
    return error.code
  }

  it('is asked for what the registry demands as well', async () => {
    server.on('GET', '/token', { body: '{"token":"abc"}' })
    expect(await fetched()).toBe('abc')
    const { searchParams } = new URL(server.requests[0]!.path, 'http://x')
    expect(searchParams.getAll('scope')).toEqual(['extra', 'repository:app:pull'])
    expect(registry.requests[1]!.headers.authorization).toBe('Bearer abc')
  })

  it('that is busy for a moment is asked again', async () => {
    server.on('GET', '/token', { status: 503 }, { fault: 'reset' }, { body: '{"access_token":"abc"}' })
    expect(await fetched()).toBe('abc')
  })

  it('is not asked again with a refresh token, which may be good for once only', async () => {
    server.on('POST', '/token', { status: 503 })
    const credentials = async () => ({ kind: 'refresh', token: 's3cret' }) as const
    expect(await refused({ credentials })).toBe('unavailable')
    expect(server.requests).toHaveLength(1)
  })

  it('that demands elsewhere does not get the password there', async () => {
    await using other = await startFaultServer()
    other.on('GET', '/token', { body: '{"token":"abc"}' })
    server.on('GET', '/token', { status: 302, headers: { location: `http://${other.host}/token` } })
    const credentials = async () => ({ kind: 'basic', username: 'ann', password: 'sesame' }) as const
    await fetched({ credentials })
    expect(server.requests[0]!.headers.authorization).toMatch(/^Basic /)
    expect(other.requests[0]!.headers.authorization).toBeUndefined()
  })

  it.each<[string, FaultReply]>([
    ['no JSON', { body: 'token=s3cret' }],
    ['null', { body: 'null' }],
    ['no token', { body: '{}' }],
    ['a token that is no text', { body: '{"token":["s3cret"]}' }],
    ['C10 a token that adds a header', { body: '{"token":"s3cret\\r\\nx: y"}' }],
    ['C01 too much', { body: `{"x":"${'x'.repeat(2 * 1024 * 1024)}"}` }],
    [
      'C01 something encoded',
      { body: Buffer.from('1f8b0800', 'hex'), headers: { 'content-encoding': 'gzip' } },
    ],
  ])('that answers %s is refused', async (_, reply) => {
    server.on('GET', '/token', reply)
    expect(await refused()).toBe('invalid_argument')
  })

  it.each([400, 401, 403])('that answers %i means unauthenticated', async (status) => {
    server.on('GET', '/token', { status, body: '{"details":"incorrect password sesame"}' })
    const credentials = async () => ({ kind: 'basic', username: 'ann', password: 'sesame' }) as const
    expect(await refused({ credentials })).toBe('unauthenticated')
  })

  it('C01 that takes for ever is given up, as is a source of credentials', async () => {
    server.on('GET', '/token', { body: '{"token":"abc"}', fault: { trickle: { bytes: 1, everyMs: 100 } } })
    const limits = { tokenTimeout: 300 }
    expect(await refused({ limits })).toBe('unavailable')
    server.on('GET', '/token', { body: '{"token":"abc"}' })
    expect(await refused({ limits, credentials: () => new Promise(() => {}) })).toBe('unavailable')
  })

  it('that says nothing of a life or nonsense leaves a token usable', async () => {
    for (const life of ['-1', '"x"', '1e300']) {
      server.on('GET', '/token', { body: `{"token":"abc","expires_in":${life}}` })
      expect(await fetched()).toBe('abc')
    }
  })

  it('gives a new token where the old one is refused before its time', async () => {
    server.on('GET', '/token', { body: '{"token":"old"}' }, { body: '{"token":"new"}' })
    const challenge = {
      'www-authenticate': `Bearer realm="http://${server.host}/token",error="invalid_token"`,
    }
    let revoked = false
    registry.on('GET', `/v2/app/blobs/${blob.digest}`, ({ headers }) =>
      headers.authorization === (revoked ? 'Bearer new' : 'Bearer old')
        ? { body: 'abc' }
        : { status: 401, headers: challenge },
    )
    await using client = createRegistry({ defaultScheme: 'http' })
    const remote = client.remote(`${registry.host}/app:1`)
    await collect(remote.fetch(blob))
    revoked = true
    await Promise.all([collect(remote.fetch(blob)), collect(remote.fetch(blob))])
    expect(server.requests).toHaveLength(2)
  })
})
