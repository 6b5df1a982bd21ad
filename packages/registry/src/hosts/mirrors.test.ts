import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer as collect } from 'node:stream/consumers'
import { digestOf, mediaTypes } from '@nsbox/oci'
import {
  buildImage,
  filesLayer,
  needs,
  pushImage,
  startFaultServer,
  startRegistry,
  type TempDir,
  type Registry as TestRegistry,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRegistry, type Registry } from '../registry.ts'
import { failure } from '../testing/failure.ts'

let directory: TempDir
let registry: Registry

beforeEach(async () => {
  directory = await tempDir('nsbox-hosts')
  registry = createRegistry({ hostsDir: directory.path, limits: { retryDelay: 1, attempts: 2 } })
})

afterEach(async () => {
  await registry[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
})

async function configure(name: string, text: string): Promise<void> {
  await mkdir(join(directory.path, name), { recursive: true })
  await writeFile(join(directory.path, name, 'hosts.toml'), text)
}

const manifest = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] })
const headers = { 'content-type': mediaTypes.ociIndex, 'docker-content-digest': digestOf(manifest) }
const reply = { headers, body: manifest }
const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('abc'), size: 3 }
describe('hosts of a registry', () => {
  it('C03 that are mirrors are told which registry is meant, the registry itself is not', async () => {
    await using mirror = await startFaultServer()
    await using origin = await startFaultServer()
    await configure(origin.host, `server = "http://${origin.host}"\n[host."http://${mirror.host}"]`)
    origin.on('HEAD', '/v2/app/manifests/1', reply)
    await registry.remote(`${origin.host}/app:1`).resolve()
    expect(mirror.requests.map(({ path }) => path)).toEqual([
      `/v2/app/manifests/1?ns=${encodeURIComponent(origin.host)}`,
    ])
    expect(origin.requests.map(({ path }) => path)).toEqual(['/v2/app/manifests/1'])
  })

  it('C02 say what a tag points to only with the capability to resolve', async () => {
    await using mirror = await startFaultServer()
    await using origin = await startFaultServer()
    const capabilities = 'capabilities = ["pull"]'
    await configure(
      origin.host,
      `server = "http://${origin.host}"\n[host."http://${mirror.host}"]\n${capabilities}`,
    )
    mirror.on('HEAD', '/v2/app/manifests/1', {
      headers: { ...headers, 'docker-content-digest': blob.digest },
      body: 'abc',
    })
    mirror.on('GET', `/v2/app/blobs/${blob.digest}`, { body: 'abc' })
    origin.on('HEAD', '/v2/app/manifests/1', reply)
    const remote = registry.remote(`${origin.host}/app:1`)
    expect((await remote.resolve()).digest).toBe(digestOf(manifest))
    expect(mirror.requests).toEqual([])
    expect((await collect(remote.fetch(blob))).toString()).toBe('abc')
    expect(origin.requests).toHaveLength(1)
  })

  it('C02 without the capability are asked about a digest, which speaks for itself', async () => {
    await using mirror = await startFaultServer()
    const pinned = `registry.test/app@${digestOf(manifest)}`
    await configure('registry.test', `[host."http://${mirror.host}"]\ncapabilities = ["pull"]`)
    mirror.on('HEAD', `/v2/app/manifests/${digestOf(manifest)}`, reply)
    expect((await registry.remote(pinned).resolve()).digest).toBe(digestOf(manifest))
  })

  it('take content in only with the capability to', async () => {
    await using mirror = await startFaultServer()
    await using origin = await startFaultServer()
    await configure(
      origin.host,
      `server = "http://${origin.host}"\n[host."http://${mirror.host}"]\ncapabilities = ["pull", "resolve"]`,
    )
    origin.on('HEAD', `/v2/app/blobs/${blob.digest}`, { body: 'abc' })
    const outcome = await registry.remote(`${origin.host}/app:1`).push(blob, () => expect.unreachable())
    expect(outcome).toBe('exists')
    expect(mirror.requests).toEqual([])
    await configure(origin.host, `server = "http://${origin.host}"\ncapabilities = ["pull"]`)
    const pushed = registry.remote(`${origin.host}/app:1`).push(blob, () => expect.unreachable())
    expect(await failure(pushed)).toMatchObject({ code: 'not_found' })
  })

  it('are tried in order, and when none helps the error has the code of the last and names all', async () => {
    await using one = await startFaultServer()
    await using two = await startFaultServer()
    await using origin = await startFaultServer()
    await configure(
      '_default',
      `server = "http://${origin.host}"\n[host."http://${one.host}"]\n[host."http://${two.host}"]`,
    )
    one.on('HEAD', '/v2/app/manifests/1', { status: 500 })
    two.on('HEAD', '/v2/app/manifests/1', { status: 401 })
    const error = await failure(registry.remote('registry.test/app:1').resolve())
    expect(error.code).toBe('not_found')
    for (const { host } of [one, two, origin]) expect(error.message).toContain(host)
    two.on('HEAD', '/v2/app/manifests/1', reply)
    expect((await registry.remote('registry.test/app:1').resolve()).digest).toBe(digestOf(manifest))
    expect(origin.requests).toHaveLength(1)
  })

  it('that break in the middle of a blob are followed by the next, from there', async () => {
    await using mirror = await startFaultServer()
    await using origin = await startFaultServer()
    await configure('registry.test', `server = "http://${origin.host}"\n[host."http://${mirror.host}"]`)
    const path = `/v2/app/blobs/${blob.digest}`
    mirror.on('GET', path, { body: 'abc', fault: { cutAfter: 1 } }, { status: 403 })
    origin.on('GET', path, { body: 'abc' })
    expect((await collect(registry.remote('registry.test/app:1').fetch(blob))).toString()).toBe('abc')
    expect(origin.requests.map(({ headers }) => headers.range)).toEqual(['bytes=1-'])
  })

  it('get only their own credentials, and headers that authorize only if they are the registry', async () => {
    await using mirror = await startFaultServer()
    await using origin = await startFaultServer()
    const challenge = { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }
    await configure(
      'registry.test',
      `server = "http://${origin.host}"
       [host."http://${mirror.host}"]
       [host."http://${mirror.host}".header]
         x-mirror = "1"`,
    )
    mirror.on('HEAD', '/v2/app/manifests/1', challenge)
    origin.on('HEAD', '/v2/app/manifests/1', challenge)
    const asked: string[] = []
    await using client = createRegistry({
      hostsDir: directory.path,
      headers: { authorization: 'Bearer mine', 'x-general': '1' },
      credentials: async ({ host }) => {
        asked.push(host)
        return host === mirror.host ? { kind: 'basic', username: 'm', password: 'sesame' } : undefined
      },
    })
    await failure(client.remote('registry.test/app:1').resolve())
    expect(asked).toEqual([mirror.host, origin.host])
    const basic = `Basic ${Buffer.from('m:sesame').toString('base64')}`
    expect(mirror.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, basic])
    expect(mirror.requests[0]!.headers).toMatchObject({ 'x-mirror': '1', 'x-general': '1' })
    // A server that configuration puts in the place of the registry is no more the registry than a mirror is.
    expect(origin.requests.map(({ headers }) => headers.authorization)).toEqual([undefined])
    expect(origin.requests[0]!.headers['x-mirror']).toBeUndefined()
  })
})

describe('the directory of a registry', () => {
  it.each([
    ['HOST_PORT_ before HOST:PORT', '127.0.0.1_5000_', '127.0.0.1:5000'],
    ['HOST:PORT before _default', '127.0.0.1:5000', '_default'],
    ['_default before nothing', '_default', 'unrelated'],
  ])('is looked for as %s', async (_, first, second) => {
    await using right = await startFaultServer()
    await using wrong = await startFaultServer()
    for (const { on } of [right, wrong]) on('HEAD', '/v2/app/manifests/1', reply)
    await configure(first, `server = "http://${right.host}"`)
    await configure(second, `server = "http://${wrong.host}"`)
    await registry.remote('127.0.0.1:5000/app:1').resolve()
    expect([right.requests.length, wrong.requests.length]).toEqual([1, 0])
  })

  it('is read anew each time', async () => {
    await using one = await startFaultServer()
    await using two = await startFaultServer()
    for (const { on } of [one, two]) on('HEAD', '/v2/app/manifests/1', reply)
    const remote = registry.remote('registry.test/app:1')
    await configure('registry.test', `server = "http://${one.host}"`)
    await remote.resolve()
    await configure('registry.test', `server = "http://${two.host}"`)
    await remote.resolve()
    await rm(join(directory.path, 'registry.test'), { recursive: true })
    await configure('_default', `server = "http://${one.host}"`)
    await remote.resolve()
    expect([one.requests.length, two.requests.length]).toEqual([2, 1])
  })

  it('that makes no sense is an error, not passed over', async () => {
    await configure('registry.test', 'server = ')
    const remote = registry.remote('registry.test/app:1')
    expect(await failure(remote.resolve())).toMatchObject({ code: 'invalid_argument' })
    await configure('registry.test', 'ca = "missing.pem"')
    expect(await failure(remote.resolve())).toMatchObject({ code: 'failed_precondition' })
  })

  it('D18 with a file that is huge, or none, is refused', async () => {
    await configure('registry.test', `# ${'x'.repeat(2 * 1024 * 1024)}`)
    const remote = registry.remote('registry.test/app:1')
    expect(await failure(remote.resolve())).toMatchObject({ code: 'invalid_argument' })
    await configure('registry.test', 'ca = "."')
    expect(await failure(remote.resolve())).toMatchObject({ code: 'invalid_argument' })
    await configure('registry.test', 'ca = "/dev/zero"')
    expect(await failure(remote.resolve())).toMatchObject({ code: 'invalid_argument' })
  })
})

const missing = needs({ programs: ['docker-registry', 'skopeo'] })

describe.skipIf(missing)(`two real registries${missing ? ` (${missing})` : ''}`, () => {
  const resources = new AsyncDisposableStack()
  let mirror: TestRegistry
  let origin: TestRegistry

  beforeAll(async () => {
    const { path } = resources.use(await tempDir('nsbox-mirrors'))
    mirror = resources.use(await startRegistry())
    origin = resources.use(await startRegistry())
    const image = await buildImage(join(path, 'both'), { layers: [filesLayer({ a: 'both' })] })
    const other = await buildImage(join(path, 'one'), { layers: [filesLayer({ a: 'one' })] })
    await pushImage(image, mirror, 'library/both:1')
    await pushImage(image, origin, 'library/both:1')
    await pushImage(other, origin, 'library/one:1')
  })

  afterAll(() => resources.disposeAsync())

  it('are used as a mirror first, then as what is mirrored', async () => {
    await configure(
      'docker.io',
      `server = "http://${origin.host}"\n[host."http://${mirror.host}"]\ncapabilities = ["pull", "resolve"]`,
    )
    for (const name of ['both', 'one']) {
      const remote = registry.remote(`docker.io/library/${name}:1`)
      const target = await remote.resolve()
      expect(digestOf(await collect(remote.fetch(target)))).toBe(target.digest)
    }
    const paths = async (host: TestRegistry) =>
      (await host.accessLog())
        .filter(({ userAgent }) => userAgent === 'nsbox')
        .map(({ method, path, status }) => `${method} ${path.replace(/sha256:\w+/, 'DIGEST')} ${status}`)
    expect(await paths(mirror)).toEqual([
      'HEAD /v2/library/both/manifests/1?ns=docker.io 200',
      'GET /v2/library/both/manifests/DIGEST?ns=docker.io 200',
      'HEAD /v2/library/one/manifests/1?ns=docker.io 404',
      'GET /v2/library/one/manifests/DIGEST?ns=docker.io 404',
    ])
    expect(await paths(origin)).toEqual([
      'HEAD /v2/library/one/manifests/1?ns=docker.io 200',
      'GET /v2/library/one/manifests/DIGEST?ns=docker.io 200',
    ])
  })
})
