import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import type { TransferProgress, Transferrer } from '@nsbox/core/transfer'
import { errorCode } from '@nsbox/errors'
import { type Metadata, openMetadata } from '@nsbox/metadata'
import { digestOf } from '@nsbox/oci'
import { type FaultReply, type FaultServer, startFaultServer, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TransferService } from './transfer-service.ts'

const type = (name: string) => `application/vnd.oci.image.${name}`
const described = (mediaType: string, text: string) => ({
  mediaType,
  digest: digestOf(text),
  size: text.length,
})

const config = JSON.stringify({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [] },
})
const layers = ['first layer', 'second layer'] as const
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: type('manifest.v1+json'),
  config: described(type('config.v1+json'), config),
  layers: layers.map((layer) => described(type('layer.v1.tar'), layer)),
})

let resources: AsyncDisposableStack
let registry: FaultServer
let metadata: Metadata
let service: TransferService

beforeEach(async () => {
  resources = new AsyncDisposableStack()
  registry = resources.use(await startFaultServer())
  const { path } = resources.use(await tempDir('nsbox-transfer'))
  const content = resources.use(
    await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }),
  )
  metadata = resources.use(
    await openMetadata({ path: join(path, 'metadata.db'), content, durability: 'relaxed' }),
  )
  service = new TransferService({ metadata })
})
afterEach(() => resources.disposeAsync())

type Reply = FaultReply | (() => Promise<FaultReply>)

/** Serves the image; the second layer gets these replies. */
function serve(...second: [Reply, ...Reply[]]): void {
  const reply = { body: manifest, headers: { 'content-type': type('manifest.v1+json') } }
  for (const method of ['HEAD', 'GET']) {
    registry.on(method, '/v2/a/b/manifests/1', reply)
    registry.on(method, `/v2/a/b/manifests/${digestOf(manifest)}`, reply)
  }
  registry.on('GET', `/v2/a/b/blobs/${digestOf(config)}`, { body: config })
  registry.on('GET', `/v2/a/b/blobs/${digestOf(layers[0])}`, { body: layers[0] })
  registry.on('GET', `/v2/a/b/blobs/${digestOf(layers[1])}`, ...second)
}

const source = () => ({ kind: 'registry', reference: `${registry.host}/a/b:1` }) as const
const image = (name = 'i') => ({ kind: 'image', name }) as const
const pull = (transferrer: Transferrer = service.for({ namespace: 'n' })) =>
  transferrer.transfer(source(), image())
/** The missing second layer is only found after the first one. */
const missing = async (): Promise<FaultReply> => {
  const { content } = metadata.namespace('n')
  await expect
    .poll(() => content.info(digestOf(layers[0])).catch(errorCode))
    .toMatchObject({ size: layers[0].length })
  return { status: 404 }
}
const leases = () => metadata.namespace('n').leases.list()
const requestsFor = (text: string) =>
  registry.requests.filter(({ path }) => path.includes(digestOf(text))).length

describe('a pull', () => {
  test('makes an image and tells of its progress, and leaves no lease', async () => {
    serve({ body: layers[1] })
    const events: TransferProgress[] = []
    await service
      .for({ namespace: 'n' })
      .transfer(source(), image(), { onProgress: (progress) => events.push(progress) })
    expect((await metadata.namespace('n').images.get('i')).target.digest).toBe(digestOf(manifest))
    expect(events.map(({ event }) => event)).toContain('saved')
    expect(await leases()).toEqual([])
  })

  test('that fails keeps what it fetched, and the next one takes that over', async () => {
    serve(missing, { body: layers[1] })
    expect(errorCode(await pull().catch((error) => error))).toBe('not_found')
    await metadata.collect()
    const [left, ...others] = await leases()
    expect(others).toEqual([])
    expect(left?.labels).toMatchObject({ 'nsbox/transfer.image': 'i' })

    await pull()
    expect(requestsFor(layers[0])).toBe(1)
    expect(await leases()).toEqual([])
    await metadata.namespace('n').images.delete('i', { sync: true })
    for await (const { digest } of metadata.namespace('n').content.list())
      throw new Error(`${digest} is left`)
  })

  test('that fails again and again leaves one lease', async () => {
    serve(missing)
    for (let i = 0; i < 3; i++) expect(errorCode(await pull().catch((error) => error))).toBe('not_found')
    expect(await leases()).toHaveLength(1)
    await metadata.collect()
    expect(requestsFor(layers[0])).toBe(1)
  })

  test('that got nothing leaves no lease', async () => {
    expect(errorCode(await pull().catch((error) => error))).toBe('not_found')
    expect(await leases()).toEqual([])
  })

  test('does not take over from one that is under way', async () => {
    serve({ body: layers[1], fault: { trickle: { bytes: 4, everyMs: 20 } } })
    await Promise.all([pull(), pull()])
    expect(await leases()).toEqual([])
    expect(requestsFor(layers[1])).toBe(1)
  })

  test('holds what it makes by the caller’s lease if there is one', async () => {
    serve({ body: layers[1] })
    const { leases: store } = metadata.namespace('n')
    const { id } = await store.create()
    await pull(service.for({ namespace: 'n', lease: id }))
    expect((await store.resources(id)).map((resource) => resource.id)).toContain(digestOf(layers[1]))
    expect(await leases()).toHaveLength(1)
  })

  test('ends when it is aborted', async () => {
    serve({ body: layers[1], fault: { stallAfter: 3 } })
    const controller = new AbortController()
    const pulling = service.for({ namespace: 'n' }).transfer(source(), image(), { signal: controller.signal })
    await expect.poll(() => requestsFor(layers[1])).toBe(1)
    controller.abort()
    await expect(pulling).rejects.toMatchObject({ name: 'AbortError' })
  })
})

test('a tag gives an image another name, and moves it', async () => {
  serve({ body: layers[1] })
  await pull()
  const transferrer = service.for({ namespace: 'n' })
  const tagged = { ...image('t'), labels: { a: 'b' } }
  for (let i = 0; i < 2; i++) await transferrer.transfer(image(), tagged)
  const { images } = metadata.namespace('n')
  expect(await images.get('t')).toMatchObject({ target: (await images.get('i')).target, labels: { a: 'b' } })
  const missing = transferrer.transfer(image('missing'), tagged).catch((error) => error)
  expect(errorCode(await missing)).toBe('not_found')
})

test('an image cannot be unpacked by a tag of a server without snapshotters, which then makes no name', async () => {
  serve({ body: layers[1] })
  await pull()
  const transferrer = service.for({ namespace: 'n' })
  const unpacking = transferrer.transfer(image(), { ...image('t'), unpacks: [{}] }).catch((error) => error)
  expect(errorCode(await unpacking)).toBe('unimplemented')
  expect((await metadata.namespace('n').images.list()).map(({ name }) => name)).toEqual(['i'])
  expect(await leases()).toEqual([])
})

test('a copy from registry to registry that fails leaves no lease', async () => {
  const copy = service.for({ namespace: 'n' }).transfer(source(), source())
  expect(errorCode(await copy.catch((error) => error))).toBe('not_found')
  expect(await leases()).toEqual([])
})
