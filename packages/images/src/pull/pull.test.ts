import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import { readBlob, readIndex } from '@nsbox/core/content'
import type { ProgressListener, Remote, TransferProgress } from '@nsbox/core/transfer'
import { openMetadata } from '@nsbox/metadata'
import { type Descriptor, type Digest, type Platform, parseDigest, parsePlatform } from '@nsbox/oci'
import { createRegistry } from '@nsbox/registry'
import {
  buildImage,
  filesLayer,
  hostPlatform,
  type ImageSpec,
  pushImage,
  type Registry,
  randomLayer,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { checkImage } from '../documents/check-image.ts'
import { imagePlatforms } from '../documents/image-platforms.ts'
import { walkImage } from '../documents/walk.ts'
import { createFlights } from '../flights/flights.ts'
import { pushImage as push } from '../push/push.ts'
import { fetchImage, pullImage } from './pull.ts'

const linux = (architecture: string) => ({ os: 'linux', architecture })
const here = [hostPlatform as Platform]

describeWith({ programs: ['docker-registry', 'skopeo'] }, 'pull', () => {
  const resources = new AsyncDisposableStack()
  let registry: Registry

  beforeAll(async () => {
    registry = resources.use(await startRegistry())
  })

  afterAll(() => resources.disposeAsync())

  async function publish(name: string, images: ImageSpec | ImageSpec[]) {
    await using layout = await tempDir('nsbox-image')
    const image = await buildImage(layout.path, images)
    return { image, reference: (await pushImage(image, registry, name)).reference }
  }

  /** Stores in two namespaces, and a remote. */
  async function open(reference: string) {
    await using opening = new AsyncDisposableStack()
    const { path } = opening.use(await tempDir('nsbox-pull'))
    const backend = opening.use(await openContentStore({ root: path, durability: 'relaxed' }))
    const metadata = opening.use(
      await openMetadata({ path: join(path, 'metadata.db'), content: backend, durability: 'relaxed' }),
    )
    const remotes = opening.use(createRegistry({}))
    const leased = async (name: string) => {
      const { id } = await metadata.namespace(name).leases.create()
      return metadata.namespace(name, { lease: id })
    }
    const [one, two] = [await leased('one'), await leased('two')]
    const held = opening.move()
    return {
      one,
      two,
      metadata,
      remote: remotes.remote(reference),
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    }
  }

  it('brings every blob of an image, records it, and labels what must not be collected', async () => {
    const { image, reference } = await publish('pull/plain:1', {
      layers: [filesLayer({ hello: 'world' }), randomLayer(1, 200_000)],
    })
    await using it = await open(reference)
    const { bytesReceived, objects, image: record } = await pullImage({ ...it.one, remote: it.remote })

    expect(record).toMatchObject({ name: reference, target: { digest: image.target.digest } })
    const { manifest, config, layers } = image.manifests[0]!
    expect(objects).toBe(4)
    expect(bytesReceived).toBe([manifest, config, ...layers].reduce((sum, { size }) => sum + size, 0))
    const { labels } = await it.one.content.info(record.target.digest)
    expect(labels).toMatchObject({
      'containerd.io/gc.ref.content.config': config.digest,
      'containerd.io/gc.ref.content.l.0': layers[0]!.digest,
      'containerd.io/gc.ref.content.l.1': layers[1]!.digest,
      'containerd.io/distribution.source.127.0.0.1': 'pull/plain',
    })
    for (const { digest, size } of layers) {
      const blob = { digest: parseDigest(digest), size }
      await expect(readBlob(it.one.content, blob, { limit: size })).resolves.toHaveLength(size)
    }
    await it.metadata.collect({})
    await expect(checkImage(it.one.content, record.target)).resolves.toMatchObject({ status: 'complete' })
  })

  it('takes the best manifest of each chosen platform, and with all metadata what describes the others', async () => {
    const images = ['amd64', 'arm64', 's390x'].map((architecture) => {
      return { platform: linux(architecture), layers: [filesLayer({ name: architecture })] }
    })
    const { image, reference } = await publish('pull/index:1', images)
    await using it = await open(reference)
    const { image: record } = await pullImage({
      ...it.one,
      remote: it.remote,
      platforms: [parsePlatform('linux/arm64')],
    })
    const has = async ({ digest }: { digest: string }) =>
      await it.one.content.info(parseDigest(digest)).then(
        () => true,
        () => false,
      )
    const presence = async () => await Promise.all(image.manifests.map(({ layers }) => has(layers[0]!)))
    expect(await presence()).toEqual([false, true, false])
    expect(await Promise.all(image.manifests.map(({ manifest }) => has(manifest)))).toEqual([
      false,
      true,
      false,
    ])
    await expect(
      checkImage(it.one.content, record.target, { platforms: [parsePlatform('linux/s390x')] }),
    ).resolves.toMatchObject({ status: 'incomplete' })

    await pullImage({
      ...it.one,
      remote: it.remote,
      platforms: [parsePlatform('linux/arm64')],
      allMetadata: true,
    })
    expect(await Promise.all(image.manifests.map(({ config }) => has(config)))).toEqual([true, true, true])
    expect(await presence()).toEqual([false, true, false])
    expect(
      (await imagePlatforms(it.one.content, record.target)).map(({ architecture }) => architecture),
    ).toEqual(['amd64', 'arm64', 's390x'])

    await pullImage({ ...it.one, remote: it.remote })
    expect(await presence()).toEqual([true, true, true])
    const visited: Descriptor[] = []
    for await (const descriptor of walkImage(it.one.content, record.target)) visited.push(descriptor)
    expect(visited).toHaveLength(10)

    await expect(
      pullImage({ ...it.two, remote: it.remote, platforms: [parsePlatform('linux/riscv64')] }),
    ).rejects.toMatchObject({ code: 'not_found' })
    await expect(it.two.images.list()).resolves.toEqual([])
  })

  it('downloads nothing for a second namespace', async () => {
    const { reference } = await publish('pull/shared:1', { layers: [randomLayer(2, 100_000)] })
    await using it = await open(reference)
    await pullImage({ ...it.one, remote: it.remote })
    const again = await pullImage({ ...it.two, remote: it.remote })
    expect(again.bytesReceived).toBe(0)
    await expect(checkImage(it.two.content, again.image.target)).resolves.toMatchObject({
      status: 'complete',
    })
  })

  it('downloads each blob once when two pulls run at once', async () => {
    const { image, reference } = await publish('pull/twice:1', {
      layers: [randomLayer(3, 400_000), randomLayer(4, 400_000)],
    })
    await using it = await open(reference)
    const flights = createFlights()
    const before = (await registry.accessLog()).length
    await Promise.all([it.one, it.two].map((view) => pullImage({ ...view, remote: it.remote, flights })))
    const requests = (await registry.accessLog()).slice(before)
    for (const { digest } of image.manifests[0]!.layers) {
      expect(requests.filter(({ method, path }) => method === 'GET' && path.includes(digest))).toHaveLength(1)
    }
  })

  it('goes on where an interrupted pull stopped', async () => {
    const { image, reference } = await publish('pull/resumed:1', {
      layers: [randomLayer(5, 8_000_000, 'none')],
    })
    const layer = image.manifests[0]!.layers[0]!
    await using it = await open(reference)
    const stop = new AbortController()
    const interrupted: Remote = {
      ...it.remote,
      reference,
      resolve: (options) => it.remote.resolve(options),
      push: (...args) => it.remote.push(...args),
      async *fetch(descriptor, options) {
        let received = 0
        for await (const chunk of it.remote.fetch(descriptor, options)) {
          yield chunk
          received += chunk.byteLength
          if (descriptor.digest === layer.digest && received > 2_000_000) stop.abort()
        }
      },
    }
    await expect(pullImage({ ...it.one, remote: interrupted, signal: stop.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    const [ingest] = await it.one.content.statuses([`ref~="^layer-"`])
    expect(ingest?.offset).toBeGreaterThan(2_000_000)
    const { bytesReceived } = await pullImage({ ...it.one, remote: it.remote })
    const { manifest, config } = image.manifests[0]!
    const documents = manifest.size + config.size
    expect(bytesReceived).toBeLessThanOrEqual(documents + layer.size - ingest!.offset)
  })

  it('E03 takes an ingest of its own where another is being written to that stands still', async () => {
    const { image, reference } = await publish('pull/held:1', { layers: [randomLayer(12, 50_000, 'none')] })
    const { digest } = image.manifests[0]!.layers[0]!
    await using it = await open(reference)
    const { content } = it.one
    await using held = await content.writer({ ref: `layer-${digest}` })
    await held.write(new Uint8Array(100))
    // An earlier attempt left this ingest beside another one.
    {
      await using left = await content.writer({ ref: `layer-${digest}-2`, total: 77 })
      await left.write(new Uint8Array(10))
    }
    const { image: record } = await pullImage({ ...it.one, remote: it.remote })
    await expect(checkImage(content, record.target)).resolves.toMatchObject({ status: 'complete' })
    expect((await content.statuses()).map(({ ref }) => ref)).toEqual([`layer-${digest}`])
  })

  it('discards what an earlier attempt left wrong, and fetches it from the start', async () => {
    const { image, reference } = await publish('pull/wrong-start:1', {
      layers: [randomLayer(6, 50_000, 'none')],
    })
    const layer = image.manifests[0]!.layers[0]!
    await using it = await open(reference)
    {
      await using writer = await it.one.content.writer({ ref: `layer-${layer.digest}`, total: layer.size })
      await writer.write(new Uint8Array(1000))
    }
    const { image: record } = await pullImage({ ...it.one, remote: it.remote })
    await expect(checkImage(it.one.content, record.target)).resolves.toMatchObject({ status: 'complete' })
  })

  it('leaves nothing of a blob whose bytes are not what the manifest says', async () => {
    const { image, reference } = await publish('pull/lying:1', { layers: [randomLayer(7, 50_000, 'none')] })
    const layer = image.manifests[0]!.layers[0]!
    await using it = await open(reference)
    const lying: Remote = {
      reference,
      resolve: (options) => it.remote.resolve(options),
      push: (...args) => it.remote.push(...args),
      async *fetch(descriptor, options) {
        if (descriptor.digest === layer.digest) yield new Uint8Array(layer.size)
        else yield* it.remote.fetch(descriptor, options)
      },
    }
    await expect(pullImage({ ...it.one, remote: lying })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
    await expect(it.one.images.list()).resolves.toEqual([])
    await expect(it.one.content.status(`layer-${layer.digest}`)).rejects.toMatchObject({ code: 'not_found' })
    await expect(it.one.content.info(parseDigest(layer.digest))).rejects.toMatchObject({ code: 'not_found' })
  })

  it('tells how every object goes on, under its parents', async () => {
    const { image, reference } = await publish('pull/told:1', { layers: [randomLayer(8, 50_000)] })
    await using it = await open(reference)
    const told: TransferProgress[] = []
    const onProgress: ProgressListener = (progress) => told.push(progress)
    await pullImage({ ...it.one, remote: it.remote, onProgress })
    const layer = `layer-${image.manifests[0]!.layers[0]!.digest}`
    const ofLayer = told.filter(({ name }) => name === layer)
    expect(ofLayer.at(0)).toMatchObject({ event: 'waiting', parents: [`manifest-${image.target.digest}`] })
    expect(ofLayer.at(-1)).toMatchObject({ event: 'complete' })
    expect(told.at(0)?.event).toBe(`Resolving from OCI Registry (${reference})`)
    expect(told.at(-1)?.event).toBe(`Completed pull from OCI Registry (${reference})`)
    expect(told.at(-2)).toMatchObject({ event: 'saved', name: reference })
  })

  it('fetches without recording an image', async () => {
    const { image, reference } = await publish('pull/fetched:1', { layers: [randomLayer(9, 1000)] })
    await using it = await open(reference)
    const { target } = await fetchImage({ remote: it.remote, content: it.one.content, platforms: here })
    expect(target.digest).toBe(image.target.digest)
    await expect(it.one.images.list()).resolves.toEqual([])
  })

  it('pushes what it pulled to another repository, mounting what the registry has', async () => {
    const { image, reference } = await publish('push/source:1', { layers: [randomLayer(10, 300_000)] })
    await using it = await open(reference)
    const { image: record } = await pullImage({ ...it.one, remote: it.remote })
    await using registryClient = createRegistry({})
    const copy = `${registry.host}/push/copy:2`
    const before = (await registry.accessLog()).length
    await push(record.target, { registry: registryClient, reference: copy, content: it.one.content })
    await expect(registryClient.remote(copy).resolve()).resolves.toMatchObject({
      digest: image.target.digest,
    })
    const sent = (await registry.accessLog()).slice(before).filter(({ method }) => method === 'PUT')
    expect(sent.map(({ path }) => path)).toEqual(['/v2/push/copy/manifests/2'])
  })

  it('pushes an index of some of its platforms, the manifest of one, or all, and each blob once', async () => {
    const shared = randomLayer(12, 1000)
    const images = ['amd64', 'arm64', 'riscv64'].map((architecture) => {
      return { layers: [shared, filesLayer({ architecture })], platform: linux(architecture) }
    })
    const { image, reference } = await publish('push/platforms:1', images)
    await using it = await open(reference)
    const { image: record } = await pullImage({ ...it.one, remote: it.remote })
    await using registryClient = createRegistry({})
    const pushed = async (name: string, ...architectures: string[]) => {
      const copy = `${registry.host}/${name}`
      const platforms = architectures.map(linux)
      const without = {
        info: async (digest: Digest) => ({ ...(await it.one.content.info(digest)), labels: {} }),
      }
      const content = { ...it.one.content, ...without }
      const target = await push(record.target, {
        registry: registryClient,
        reference: copy,
        content,
        platforms,
      })
      expect(await registryClient.remote(copy).resolve()).toMatchObject({ digest: target.digest })
      return target
    }
    const some = await pushed('some-platforms:1', 'riscv64', 'amd64')
    await using other = await open(`${registry.host}/some-platforms:1`)
    const again = await pullImage({ ...other.one, remote: other.remote })
    const { manifests } = await readIndex(other.one.content, some)
    expect(manifests.map(({ digest }) => digest)).toEqual(
      [image.manifests[0]!, image.manifests[2]!].map((of) => of.manifest.digest),
    )
    expect(again.image.target).toEqual(some)
    const uploads = (await registry.accessLog()).filter(
      ({ method, path }) => method === 'PUT' && path.startsWith('/v2/some-platforms/blobs/'),
    )
    expect(uploads).toHaveLength(5)
    const all = await pushed('some-platforms:2', 'riscv64', 'amd64', 'arm64')
    expect(all.digest).toBe(image.target.digest)
    const one = await pushed('some-platforms:3', 'arm64')
    expect(one.digest).toBe(image.manifests[1]!.manifest.digest)
    await expect(pushed('some-platforms:4', 'arm64', 's390x')).rejects.toMatchObject({ code: 'not_found' })
  })

  it('B06 refuses to push an image that is not complete, before anything refers to it', async () => {
    const { image, reference } = await publish('push/incomplete:1', { layers: [randomLayer(11, 1000)] })
    await using it = await open(reference)
    const { image: record } = await pullImage({ ...it.one, remote: it.remote })
    await it.one.content.delete(parseDigest(image.manifests[0]!.layers[0]!.digest))
    await using registryClient = createRegistry({})
    const copy = `${registry.host}/push/incomplete-copy:1`
    await expect(
      push(record.target, { registry: registryClient, reference: copy, content: it.one.content }),
    ).rejects.toMatchObject({ code: 'not_found' })
    await expect(registryClient.remote(copy).resolve()).rejects.toMatchObject({ code: 'not_found' })
  })
})
