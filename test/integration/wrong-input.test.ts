import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { type FetchOptions, pullImage } from '@nsbox/images'
import { type Metadata, openMetadata } from '@nsbox/metadata'
import { digestOf } from '@nsbox/oci'
import { createRegistry } from '@nsbox/registry'
import { type Fault, type FaultServer, startFaultServer, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, it } from 'vitest'

const type = (name: string) => `application/vnd.oci.image.${name}`
const describeBytes = (mediaType: string, bytes: string) => {
  return { mediaType, digest: digestOf(Buffer.from(bytes)), size: bytes.length }
}

let resources: AsyncDisposableStack
let server: FaultServer
let metadata: Metadata
let attempt: (reference?: string, options?: Partial<FetchOptions>) => Promise<unknown>

const layer = 'x'.repeat(20_000)
const config = JSON.stringify({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [] },
})

beforeEach(async () => {
  resources = new AsyncDisposableStack()
  server = resources.use(await startFaultServer())
  const { path } = resources.use(await tempDir('nsbox-wrong-input'))
  const content = resources.use(await openContentStore({ root: path, durability: 'relaxed' }))
  metadata = resources.use(
    await openMetadata({ path: join(path, 'metadata.db'), content, durability: 'relaxed' }),
  )
  const limits = {
    retryDelay: 1,
    maxRetryDelay: 5,
    attempts: 3,
    idleTimeout: 300,
    rateWindow: 300,
    minimumRate: 1000,
  }
  const registry = resources.use(createRegistry({ limits }))
  const { id: lease } = await metadata.namespace('default').leases.create()
  attempt = (reference = `${server.host}/a/b:1`, options = {}) => {
    return pullImage({
      ...metadata.namespace('default', { lease }),
      remote: registry.remote(reference),
      ...options,
    })
  }
})

afterEach(() => resources.disposeAsync())

/** Serves an image; `layerDescriptor` may lie about the layer, and `fault` hits it. */
function serve({
  layerDescriptor = describeBytes(type('layer.v1.tar'), layer),
  manifestType = type('manifest.v1+json'),
  padding = 0,
  fault,
}: {
  layerDescriptor?: { mediaType: string; digest: string; size: number }
  manifestType?: string
  padding?: number
  fault?: Fault
} = {}): void {
  const configDescriptor = describeBytes(type('config.v1+json'), config)
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: configDescriptor,
    layers: [layerDescriptor],
    annotations: { padding: ' '.repeat(padding) },
  })
  const { digest } = describeBytes(manifestType, manifest)
  const reply = { body: manifest, headers: { 'content-type': manifestType, 'docker-content-digest': digest } }
  for (const method of ['HEAD', 'GET']) {
    server.on(method, '/v2/a/b/manifests/1', reply)
    server.on(method, `/v2/a/b/manifests/${digest}`, reply)
  }
  server.on('GET', `/v2/a/b/blobs/${configDescriptor.digest}`, { body: config })
  server.on('GET', `/v2/a/b/blobs/${layerDescriptor.digest}`, {
    body: layer,
    ...(fault === undefined ? {} : { fault }),
  })
}

/** That a failed pull has a code, names what is at fault, and left no image and no blob that nobody proved. */
async function expectRefused(pulling: Promise<unknown>, code: string, about: RegExp): Promise<void> {
  await expect(pulling).rejects.toMatchObject({ code, message: expect.stringMatching(about) })
  const view = metadata.namespace('default')
  await expect(view.images.list()).resolves.toEqual([])
  await expect(view.content.info(digestOf(Buffer.from(layer)))).rejects.toMatchObject({ code: 'not_found' })
}

it('takes the image when nothing is wrong with it', async () => {
  serve()
  await expect(attempt()).resolves.toMatchObject({ objects: 3 })
})

it.each([
  ['401', { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } }, 'unauthenticated'],
  ['403', { status: 403 }, 'permission_denied'],
  ['404', { status: 404 }, 'not_found'],
  ['500', { status: 500 }, 'unavailable'],
  ['503', { status: 503 }, 'unavailable'],
])('refuses an answer of %s with its code, naming the reference’s host', async (_status, reply, code) => {
  for (const method of ['HEAD', 'GET']) server.on(method, '/v2/a/b/manifests/1', reply)
  await expectRefused(attempt(), code, new RegExp(server.host))
})

it('says which host cannot be reached', async () => {
  const { host } = server
  await server[Symbol.asyncDispose]()
  await expectRefused(attempt(`${host}/a/b:1`), 'unavailable', new RegExp(host))
})

it('gives up on a body that trickles, stalls or always breaks', async () => {
  for (const fault of [
    { trickle: { bytes: 10, everyMs: 50 } },
    { stallAfter: 100 },
    { cutAfter: 0 },
  ] satisfies Fault[]) {
    serve({ fault })
    const code = 'cutAfter' in fault ? 'data_loss' : 'unavailable'
    await expectRefused(attempt(), code, new RegExp(digestOf(Buffer.from(layer))))
  }
})

it('mends a body that breaks now and then, and proves the whole', async () => {
  serve({ fault: { cutAfter: 7000 } })
  await attempt()
  const info = await metadata.namespace('default').content.info(digestOf(Buffer.from(layer)))
  expect(info.size).toBe(layer.length)
})

it('C05 starts over when a range is answered with everything or with something else', async () => {
  serve({ fault: 'ignores ranges' })
  const ref = `layer-${digestOf(Buffer.from(layer))}`
  {
    await using writer = await metadata.namespace('default').content.writer({ ref, total: layer.length })
    await writer.write(Buffer.from(layer.slice(0, 5000)))
  }
  await expect(attempt()).resolves.toMatchObject({ objects: 3 })
})

it('refuses bytes with another digest than the manifest names', async () => {
  const digest = digestOf(Buffer.from('something else'))
  serve({ layerDescriptor: { ...describeBytes(type('layer.v1.tar'), layer), digest } })
  await expectRefused(attempt(), 'failed_precondition', new RegExp(`unexpected commit digest .* ${digest}`))
  await expect(metadata.namespace('default').content.statuses()).resolves.toEqual([])
})

it.each([
  ['more', layer.length - 1],
  ['fewer', layer.length + 1],
])('B03 refuses %s bytes than the manifest names', async (_name, size) => {
  serve({ layerDescriptor: { ...describeBytes(type('layer.v1.tar'), layer), size } })
  await expectRefused(attempt(), 'invalid_argument', new RegExp(digestOf(Buffer.from(layer))))
})

it('B02 refuses a manifest of 5 MiB before fetching what it names', async () => {
  serve({ padding: 5 * 1024 * 1024 })
  await expectRefused(attempt(), 'invalid_argument', new RegExp(`${server.host}.*manifests`))
  expect(server.requests.filter(({ path }) => path.includes('/blobs/'))).toEqual([])
})

it('refuses something that is no image, naming its media type', async () => {
  serve({ manifestType: 'application/vnd.example.unknown+json' })
  await expectRefused(attempt(), 'invalid_argument', /vnd\.example\.unknown/)
})

it.each([
  '',
  'redis',
  'docker.io/UPPER:1',
  'docker.io/a:b:c',
  'docker.io/a@sha256:123',
  'docker.io/a\r\nb:1',
])('C10 refuses the reference %j', async (reference) => {
  await using registry = createRegistry({})
  expect(() => registry.remote(reference)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
})
