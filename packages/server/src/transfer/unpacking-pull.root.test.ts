import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import type { ImageEndpoint } from '@nsbox/core/transfer'
import { LayerWorkers, workerApplier } from '@nsbox/diff'
import { errorCode } from '@nsbox/errors'
import { type Metadata, openMetadata } from '@nsbox/metadata'
import { chainIds, digestOf, mediaTypes } from '@nsbox/oci'
import { type LocalSnapshotter, openOverlaySnapshotter } from '@nsbox/snapshots'
import {
  type FaultReply,
  type FaultServer,
  rawEntry,
  rawTar,
  scratchMount,
  startFaultServer,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { ServerCounts } from '../counts/server-counts.ts'
import { TransferService } from './transfer-service.ts'
import { unpackDestinations } from './unpack-destinations.ts'

const described = (mediaType: string, bytes: string | Uint8Array) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
})

const layers = ['one', 'two', 'three'].map((name) =>
  rawTar(rawEntry({ name, content: name }), rawEntry({ name: 'last', content: name })),
)
const chain = chainIds(layers.map((layer) => digestOf(layer)))
const config = JSON.stringify({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
})
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: described(mediaTypes.ociConfig, config),
  layers: layers.map((layer) => described(mediaTypes.ociLayer, layer)),
})

describeWith({ root: true, linux: true }, 'a pull that unpacks', () => {
  const workers = new LayerWorkers({ threads: 2 })
  afterAll(() => workers[Symbol.asyncDispose]())

  let resources: AsyncDisposableStack
  let registry: FaultServer
  let overlayfs: LocalSnapshotter
  let metadata: Metadata
  let service: TransferService
  let applied: string[]

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    registry = resources.use(await startFaultServer())
    const { path } = resources.use(await scratchMount())
    const durability = 'relaxed'
    const content = resources.use(await openContentStore({ root: join(path, 'content'), durability }))
    overlayfs = resources.use(await openOverlaySnapshotter({ root: join(path, 'overlayfs'), durability }))
    const snapshotters = new Map([['overlayfs', overlayfs]])
    metadata = resources.use(
      await openMetadata({ path: join(path, 'metadata.db'), content, snapshotters, durability }),
    )
    applied = []
    const applier = workerApplier({ workers, blobPath: (digest) => content.blobPath(digest) })
    service = new TransferService({
      metadata,
      destinations: unpackDestinations({
        counts: new ServerCounts(),
        metadata,
        applier: {
          apply: (layer, ...rest) => {
            applied.push(layer.digest)
            return applier.apply(layer, ...rest)
          },
        },
        snapshotters: [],
        workers,
      }),
    })
    serve({ body: layers[2]! })
  })
  afterEach(() => resources.disposeAsync())

  /** Serves the image; the highest layer gets these replies. */
  function serve(...highest: [FaultReply, ...FaultReply[]]): void {
    const reply = { body: manifest, headers: { 'content-type': mediaTypes.ociManifest } }
    for (const method of ['HEAD', 'GET']) {
      registry.on(method, '/v2/a/b/manifests/1', reply)
      registry.on(method, `/v2/a/b/manifests/${digestOf(manifest)}`, reply)
    }
    for (const blob of [config, ...layers])
      registry.on('GET', `/v2/a/b/blobs/${digestOf(blob)}`, { body: blob })
    registry.on('GET', `/v2/a/b/blobs/${digestOf(layers[2]!)}`, ...highest)
  }

  const pull = (namespace = 'n', unpacks: ImageEndpoint['unpacks'] = [{}]) =>
    service
      .for({ namespace })
      .transfer(
        { kind: 'registry', reference: `${registry.host}/a/b:1` },
        { kind: 'image', name: 'i', unpacks },
      )
  const names = async (namespace: string) => {
    const found: string[] = []
    for await (const { name } of metadata.namespace(namespace).snapshotter('overlayfs').list())
      found.push(name)
    return found.sort()
  }
  const inBackend = async () => {
    let count = 0
    for await (const _ of overlayfs.list()) count += 1
    return count
  }

  test('leaves snapshots that the image holds, and no lease', async () => {
    await pull()
    expect(await names('n')).toEqual([...chain].sort())
    await metadata.collect()
    expect(await names('n')).toEqual([...chain].sort())
    expect(await metadata.namespace('n').leases.list()).toEqual([])
    await metadata.namespace('n').images.delete('i', { sync: true })
    expect(await names('n')).toEqual([])
    await expect.poll(inBackend).toBe(0)
  })

  test('unpacks nothing for a second namespace, and neither takes from the other', async () => {
    await Promise.all([pull('n'), pull('m')])
    expect([...applied].sort()).toEqual(layers.map((layer) => digestOf(layer)).sort())
    expect(await names('m')).toEqual(await names('n'))
    expect(await inBackend()).toBe(3)
    await metadata.namespace('n').images.delete('i', { sync: true })
    expect([await names('n'), await inBackend()]).toEqual([[], 3])
    expect(await names('m')).toEqual([...chain].sort())
  })

  test('that fails keeps what it unpacked for the next one', async () => {
    serve({ status: 404 }, { body: layers[2]! })
    const { snapshotter } = metadata.namespace('n')
    expect(errorCode(await pull().catch((error) => error))).toBe('not_found')
    await metadata.collect()
    for await (const { kind } of snapshotter('overlayfs').list()) expect(kind).toBe('committed')
    const before = applied.length
    const kept = (await names('n')).length
    await pull()
    expect(applied.length - before).toBe(3 - kept)
    expect(await names('n')).toEqual([...chain].sort())
    expect(await metadata.namespace('n').leases.list()).toEqual([])
  })

  test('gives up what one that died was extracting', async () => {
    const { leases } = metadata.namespace('n')
    const { id } = await leases.create({ labels: { 'nsbox/transfer.image': 'i' } })
    const { snapshotter } = metadata.namespace('n', { lease: id })
    await snapshotter('overlayfs').prepare(`extract-1-abcd ${chain[0]}`, undefined)
    await metadata.collect()
    expect(await names('n')).toHaveLength(1)
    serve({ status: 404 })
    expect(errorCode(await pull().catch((error) => error))).toBe('not_found')
    await metadata.collect()
    expect((await names('n')).filter((name) => name.startsWith('extract-'))).toEqual([])
  })

  test('holds what it unpacks by the caller’s lease', async () => {
    const { leases } = metadata.namespace('n')
    const { id } = await leases.create()
    await service
      .for({ namespace: 'n', lease: id })
      .transfer(
        { kind: 'registry', reference: `${registry.host}/a/b:1` },
        { kind: 'image', name: 'i', unpacks: [{ snapshotter: 'overlayfs' }] },
      )
    const held = (await leases.resources(id)).filter(({ type }) => type === 'snapshots/overlayfs')
    expect(held.map((resource) => resource.id).sort()).toEqual([...chain].sort())
  })

  test.each([
    ['a snapshotter that is not there', 'n', [{ snapshotter: 'native' }]],
    ['a default that is not there', 'odd', [{}]],
  ])('refuses %s before it fetches anything', async (_, namespace, unpacks) => {
    await metadata.namespaces.create({
      name: 'odd',
      labels: { 'containerd.io/defaults/snapshotter': 'missing' },
    })
    expect(errorCode(await pull(namespace, unpacks).catch((error) => error))).toBe('invalid_argument')
    expect(registry.requests).toEqual([])
    expect(await metadata.namespace(namespace).leases.list()).toEqual([])
  })

  test('refuses to unpack from a source, and without snapshotters', async () => {
    await pull()
    const image = { kind: 'image', name: 'i' } as const
    const tag = service.for({ namespace: 'n' }).transfer({ ...image, unpacks: [{}] }, { ...image, name: 't' })
    expect(errorCode(await tag.catch((error) => error))).toBe('unimplemented')
    const without = new TransferService({ metadata }).for({ namespace: 'n' })
    const unpacking = without.transfer(
      { kind: 'registry', reference: `${registry.host}/a/b:1` },
      { ...image, unpacks: [{}] },
    )
    expect(errorCode(await unpacking.catch((error) => error))).toBe('unimplemented')
  })
})
