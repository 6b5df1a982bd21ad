import { setMaxListeners } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import type { ImageEndpoint, RegistryEndpoint } from '@nsbox/core/transfer'
import { LayerWorkers, workerApplier } from '@nsbox/diff'
import { createFlights, createFlightsByNamespace, type Flights } from '@nsbox/images'
import { type Metadata, openMetadata } from '@nsbox/metadata'
import { chainIds, type Digest, mediaTypes, parseDigest } from '@nsbox/oci'
import { type LocalSnapshotter, openNativeSnapshotter, openOverlaySnapshotter } from '@nsbox/snapshots'
import {
  type BuiltImage,
  buildImage,
  pushImage,
  type Registry,
  randomLayer,
  scratchMount,
  startRegistry,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ServerCounts } from '../counts/server-counts.ts'
import { TransferService } from './transfer-service.ts'
import { unpackDestinations } from './unpack-destinations.ts'

/** How a registry sends the bytes of a blob. */
type Delivery = (blob: Buffer, response: ServerResponse) => void

/** Four kilobytes a second, more than a client demands, without an end. */
const drip: Delivery = (blob, response) => {
  const timer = setInterval(() => response.write(blob.subarray(0, 400)), 100)
  response.on('close', () => clearInterval(timer))
}
const nothing: Delivery = (_, response) => response.flushHeaders()
const half: Delivery = (blob, response) => void response.write(blob.subarray(0, blob.length >> 1))
const whole: Delivery = (blob, response) => void response.end(blob)

describeWith(
  { root: true, linux: true, programs: ['docker-registry', 'skopeo'] },
  'a pull from an honest registry',
  () => {
    const workers = new LayerWorkers({ threads: 2 })
    const shared = new AsyncDisposableStack()
    let registry: Registry
    let image: BuiltImage
    let reference: string
    let layers: readonly { digest: Digest; size: number; diffId: Digest }[]
    const blobs = new Map<string, Buffer>()

    beforeAll(async () => {
      shared.use(workers)
      registry = shared.use(await startRegistry())
      const { path } = shared.use(await scratchMount())
      image = await buildImage(join(path, 'layout'), {
        layers: [1, 2, 3].map((seed) => randomLayer(seed, 300_000)),
      })
      reference = (await pushImage(image, registry, 'known/image:1')).reference
      layers = image.manifests[0]!.layers.map(({ digest, diffId, size }) => {
        return { digest: parseDigest(digest), diffId: parseDigest(diffId), size }
      })
      for (const { digest } of [image.manifests[0]!.config, ...layers])
        blobs.set(digest, await readFile(join(path, 'layout/blobs/sha256', digest.slice(7))))
    })
    afterAll(() => shared.disposeAsync())

    let resources: AsyncDisposableStack
    let metadata: Metadata
    let service: TransferService
    let overlayfs: LocalSnapshotter
    let stop: AbortController
    let hostilePulls: Promise<unknown>[]

    async function setUp(policy: 'shared' | 'isolated' = 'shared', flights?: (namespace: string) => Flights) {
      const { path } = resources.use(await scratchMount())
      const durability = 'relaxed'
      const content = resources.use(await openContentStore({ root: join(path, 'content'), durability }))
      overlayfs = resources.use(await openOverlaySnapshotter({ root: join(path, 'overlayfs'), durability }))
      const native = resources.use(await openNativeSnapshotter({ root: join(path, 'native'), durability }))
      const snapshotters = new Map([
        ['overlayfs', overlayfs],
        ['native', native],
      ])
      metadata = resources.use(
        await openMetadata({ path: join(path, 'metadata.db'), content, snapshotters, durability, policy }),
      )
      const applier = workerApplier({ workers, blobPath: (digest) => content.blobPath(digest) })
      const destinations = unpackDestinations({
        metadata,
        applier,
        snapshotters: [],
        workers,
        counts: new ServerCounts(),
      })
      service = new TransferService({ metadata, destinations, flights })
    }

    beforeEach(async () => {
      resources = new AsyncDisposableStack()
      stop = new AbortController()
      setMaxListeners(0, stop.signal)
      hostilePulls = []
      await setUp()
    })
    afterEach(async () => {
      stop.abort()
      await Promise.allSettled(hostilePulls)
      await resources.disposeAsync()
    })

    /** Serves the known layers in any way, under manifests with any fields. */
    async function hostileRegistry(options: {
      /** By the layer's position, the lowest first. */
      readonly deliver: (place: number) => Delivery
      readonly size?: number | undefined
      readonly authenticate?: boolean
    }) {
      const { size, authenticate = false } = options
      const { config } = image.manifests[0]!
      const manifest = JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { mediaType: config.mediaType, digest: config.digest, size: config.size },
        layers: layers.map((layer) => {
          return { mediaType: mediaTypes.ociLayerGzip, digest: layer.digest, size: size ?? layer.size }
        }),
      })
      const server = createServer((request, response) => {
        response.on('error', () => {})
        const digest = /sha256:[0-9a-f]{64}/.exec(request.url!)?.[0] as Digest | undefined
        const place = layers.findIndex((layer) => layer.digest === digest)
        if (request.url!.includes('/manifests/')) {
          response.setHeader('content-type', mediaTypes.ociManifest)
          response.end(manifest)
        } else if (digest === config.digest) response.end(blobs.get(digest))
        else if (authenticate) response.writeHead(401, { 'www-authenticate': 'Basic realm="hostile"' }).end()
        else {
          response.writeHead(200, { 'content-length': size ?? layers[place]!.size })
          options.deliver(place)(blobs.get(digest!)!, response)
        }
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      resources.defer(async () => {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      })
      return { reference: `127.0.0.1:${(server.address() as AddressInfo).port}/evil:1` }
    }

    interface Pull {
      readonly namespace?: string
      readonly unpacks?: ImageEndpoint['unpacks']
      readonly name?: string
    }
    const pull = ({ namespace = 'victim', unpacks = [{}], name = 'i' }: Pull = {}) =>
      service.for({ namespace }).transfer({ kind: 'registry', reference }, { kind: 'image', name, unpacks })

    function attack(source: Pick<RegistryEndpoint, 'reference' | 'credentials'>, options: Pull = {}) {
      const { namespace = 'hostile', unpacks = [{}], name = 'i' } = options
      const pulling = service
        .for({ namespace })
        .transfer({ kind: 'registry', ...source }, { kind: 'image', name, unpacks }, { signal: stop.signal })
      const state = { ended: false }
      hostilePulls.push(
        pulling
          .catch(() => undefined)
          .finally(() => {
            state.ended = true
          }),
      )
      return { pulling, state }
    }

    /** How often each blob is requested during some work. */
    async function requestsOf(work: () => Promise<unknown>): Promise<number[]> {
      const before = (await registry.accessLog()).length
      await work()
      const after = (await registry.accessLog()).slice(before)
      return layers.map(
        ({ digest }) => after.filter(({ method, path }) => method === 'GET' && path.includes(digest)).length,
      )
    }
    const once = () => layers.map(() => 1)
    const ingests = async (namespace: string) => await metadata.namespace(namespace).content.statuses()

    const isUnpacked = async (snapshotterName: string, namespace = 'victim') => {
      const top = chainIds(layers.map(({ diffId }) => diffId)).at(-1)!
      const { kind } = await metadata.namespace(namespace).snapshotter(snapshotterName).stat(top)
      return kind === 'committed'
    }

    test.each<[string, { size?: number; deliver: Delivery; ends: boolean }]>([
      ['with other sizes that drips', { size: 1e12, deliver: drip, ends: false }],
      ['that drips', { deliver: drip, ends: true }],
      ['that sends nothing', { deliver: nothing, ends: true }],
      ['that stops in the middle', { deliver: half, ends: true }],
    ])('E03 does not wait for another %s', async (_, { size, deliver, ends }) => {
      const { state, pulling } = attack(await hostileRegistry({ size, deliver: () => deliver }))
      await expect.poll(() => ingests('hostile')).toHaveLength(3)
      expect(await requestsOf(pull)).toEqual(once())
      expect(await isUnpacked('overlayfs')).toBe(true)
      expect(await ingests('victim')).toEqual([])
      if (!ends) return expect(state.ended).toBe(false)
      // The other pull gets the blob that was verified, and discards its own bytes.
      await pulling
      expect(await isUnpacked('overlayfs', 'hostile')).toBe(true)
      expect(await ingests('hostile')).toEqual([])
      expect(await metadata.namespace('hostile').leases.list()).toEqual([])
    })

    test('E03 lets another go on where each namespace brings its own bytes', async () => {
      await setUp('isolated', createFlightsByNamespace())
      const { state } = attack(await hostileRegistry({ deliver: () => drip }))
      await expect.poll(() => ingests('hostile')).toHaveLength(3)
      expect(await requestsOf(pull)).toEqual(once())
      expect(state.ended).toBe(false)
      expect(await ingests('hostile')).toHaveLength(3)
    })

    test('E03 does not wait for another whose client gives no credentials', async () => {
      let asked = 0
      const credentials = () => {
        asked += 1
        return new Promise<undefined>(() => undefined)
      }
      const { reference } = await hostileRegistry({ deliver: () => whole, authenticate: true })
      const { pulling } = attack({ reference, credentials })
      await expect.poll(() => ingests('hostile')).toHaveLength(3)
      await expect.poll(() => asked).toBe(1)
      expect(await requestsOf(pull)).toEqual(once())
      await pulling
    })

    test('E03 goes on by itself when another is ended that it has waited for', async () => {
      attack(await hostileRegistry({ deliver: () => half }))
      await expect.poll(() => ingests('hostile')).toHaveLength(3)
      const requests = requestsOf(() => pull())
      stop.abort()
      expect(await requests).toEqual(once())
      expect(await isUnpacked('overlayfs')).toBe(true)
    })

    test('E03 asks no more than alone beside fifty hostile ones', async () => {
      const kinds = [
        await hostileRegistry({ deliver: () => drip }),
        await hostileRegistry({ deliver: () => drip, size: 1e12 }),
        await hostileRegistry({ deliver: () => nothing }),
        await hostileRegistry({ deliver: (place) => (place === 0 ? drip : whole), size: 1e12 }),
      ]
      const namespaces = Array.from({ length: 10 }, (_, number) => `hostile-${number}`)
      for (let count = 0; count < 50; count += 1)
        attack(kinds[count % kinds.length]!, { namespace: namespaces[count % 10]!, name: `i${count}` })
      const underWay = async () => (await Promise.all(namespaces.map(ingests))).flat().length
      await expect.poll(underWay, { timeout: 60_000 }).toBeGreaterThan(30)
      expect(await requestsOf(pull)).toEqual(once())
      expect(await isUnpacked('overlayfs')).toBe(true)
    }, 120_000)

    test.each([1e12, undefined])(
      'E03 does not wait for another in its own namespace (size %s)',
      async (size) => {
        const { pulling } = attack(await hostileRegistry({ size, deliver: () => drip }), {
          namespace: 'victim',
          name: 'other',
        })
        await expect.poll(() => ingests('victim')).toHaveLength(3)
        expect(await requestsOf(pull)).toEqual(once())
        if (size !== undefined) return
        await pulling
        expect(await ingests('victim')).toEqual([])
      },
    )

    test.each(['overlayfs', 'native'])(
      'E03 unpacks into %s what another holds up from below',
      async (snapshotter) => {
        const unpacks = [{ snapshotter }]
        // The other pull does not get the blob that it lacks, and stays as it is.
        const flights = createFlights()
        await setUp('isolated', () => flights)
        const { state } = attack(
          await hostileRegistry({ deliver: (place) => (place === 0 ? drip : whole) }),
          { unpacks },
        )
        await expect.poll(() => ingests('hostile')).toHaveLength(1)
        expect(await requestsOf(() => pull({ unpacks }))).toEqual(once())
        expect(await isUnpacked(snapshotter)).toBe(true)
        expect(state.ended).toBe(false)
      },
    )

    test('takes each blob once, and unpacks it once, with others that go on', async () => {
      const requests = await requestsOf(() =>
        Promise.all(['a', 'b', 'c', 'd'].map((namespace) => pull({ namespace }))),
      )
      expect(requests).toEqual(once())
      for (const namespace of ['a', 'b', 'c', 'd'])
        expect(await isUnpacked('overlayfs', namespace)).toBe(true)
      let backings = 0
      for await (const _ of overlayfs.list()) backings += 1
      expect(backings).toBe(layers.length)
    })
  },
)
