import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer as collect } from 'node:stream/consumers'
import { type Descriptor, digestOf, parseDigest } from '@nsbox/oci'
import {
  type BuiltImage,
  buildImage,
  filesLayer,
  needs,
  pushImage,
  randomLayer,
  runOrThrow,
  startRegistry,
  type Registry as TestRegistry,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RequestTrace } from './http/connections.ts'
import { createRegistry, type RegistryOptions } from './registry.ts'
import { failure } from './testing/failure.ts'

const auth = { user: 'ann', password: 'sesame:1' }

const descriptorOf = ({ mediaType, digest, size }: { mediaType: string; digest: string; size: number }) =>
  ({ mediaType, digest: parseDigest(digest), size }) satisfies Descriptor

const missing = needs({ programs: ['docker-registry', 'skopeo'] })

describe.skipIf(missing)(`a real registry${missing ? ` (${missing})` : ''}`, () => {
  const resources = new AsyncDisposableStack()
  let plain: TestRegistry
  let locked: TestRegistry
  let image: BuiltImage

  beforeAll(async () => {
    const { path } = resources.use(await tempDir('nsbox-registry-image'))
    image = await buildImage(path, [
      { layers: [filesLayer({ hello: 'world' }), randomLayer(1, 300_000)] },
      {
        layers: [filesLayer({ hello: 'arm' })],
        platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      },
    ])
    plain = resources.use(await startRegistry())
    locked = resources.use(await startRegistry({ auth }))
    await pushImage(image, plain, 'library/test:1')
    await pushImage(image, plain, 'library/docker:1', { format: 'v2s2' })
    await pushImage(image, locked, 'library/test:1')
  })

  afterAll(() => resources.disposeAsync())

  it('resolves a tag to an index, and gives every blob of it byte for byte', async () => {
    await using registry = createRegistry()
    const remote = registry.remote(`${plain.host}/library/test:1`)

    const target = await remote.resolve()

    expect(target).toEqual(descriptorOf(image.target))
    const { manifests } = image
    const below = manifests.flatMap(({ manifest, config, layers }) => [manifest, config, ...layers])
    for (const descriptor of [image.target, ...below]) {
      const bytes = await collect(remote.fetch(descriptorOf(descriptor)))
      expect(digestOf(bytes)).toBe(descriptor.digest)
      expect(bytes.length).toBe(descriptor.size)
    }
  })

  it('resolves manifests and lists of Docker’s own media types', async () => {
    await using registry = createRegistry()
    const target = await registry.remote(`${plain.host}/library/docker:1`).resolve()
    expect(target.mediaType).toBe('application/vnd.docker.distribution.manifest.list.v2+json')
  })

  it('resolves a digest to the same descriptor as the tag, and the digest of a blob as well', async () => {
    await using registry = createRegistry()
    const target = await registry.remote(`${plain.host}/library/test@${image.target.digest}`).resolve()
    expect(target).toEqual(descriptorOf(image.target))
    const layer = image.manifests[0]!.layers[1]!
    const blob = await registry.remote(`${plain.host}/library/test@${layer.digest}`).resolve()
    expect(blob).toEqual(descriptorOf({ ...layer, mediaType: 'application/octet-stream' }))
  })

  it('goes on from an offset, by a range', async () => {
    await using registry = createRegistry()
    const layer = descriptorOf(image.manifests[0]!.layers[1]!)
    const whole = await readFile(join(image.layout, 'blobs', layer.digest.replace(':', '/')))
    const traces: RequestTrace[] = []
    await using traced = createRegistry({ onRequest: (trace) => traces.push(trace) })
    const rest = await collect(
      traced.remote(`${plain.host}/library/test:1`).fetch(layer, { offset: 200_000 }),
    )
    expect(rest.equals(whole.subarray(200_000))).toBe(true)
    expect(traces.map(({ status }) => status)).toEqual([206])
    const none = traced.remote(`${plain.host}/library/test:1`).fetch(layer, { offset: layer.size })
    expect(await collect(none)).toHaveLength(0)
    const beyond = collect(
      registry.remote(`${plain.host}/library/test:1`).fetch(layer, { offset: layer.size + 1 }),
    )
    expect(await failure(beyond)).toMatchObject({ code: 'out_of_range' })
  })

  it('says not_found for a tag, a repository and a blob that are not there', async () => {
    await using registry = createRegistry()
    const remote = registry.remote(`${plain.host}/library/test:none`)
    expect(await failure(remote.resolve())).toMatchObject({ code: 'not_found' })
    const other = registry.remote(`${plain.host}/none:1`)
    expect(await failure(other.resolve())).toMatchObject({ code: 'not_found' })
    const blob = { mediaType: 'application/octet-stream', digest: digestOf('none'), size: 4 }
    const error = await failure(collect(remote.fetch(blob)))
    expect(error).toMatchObject({ code: 'not_found' })
    expect(error.message).toContain('BLOB_UNKNOWN')
  })

  describe('that wants a name and a password', () => {
    const basic: RegistryOptions['credentials'] = async () => ({
      kind: 'basic',
      username: auth.user,
      password: auth.password,
    })

    it('gets them once for many requests', async () => {
      const asked: string[] = []
      const traces: RequestTrace[] = []
      await using registry = createRegistry({
        credentials: async (request, options) => {
          asked.push(request.host)
          return basic(request, options)
        },
        onRequest: (trace) => traces.push(trace),
      })
      const remote = registry.remote(`${locked.host}/library/test:1`)
      const target = await remote.resolve()
      await collect(remote.fetch(target))
      expect(asked).toEqual([locked.host])
      expect(traces.map(({ status }) => status)).toEqual([401, 200, 200])
    })

    it('says unauthenticated without them, and with wrong ones', async () => {
      await using anonymous = createRegistry()
      const resolved = anonymous.remote(`${locked.host}/library/test:1`).resolve()
      expect(await failure(resolved)).toMatchObject({ code: 'unauthenticated' })
      await using wrong = createRegistry({
        credentials: async () => ({ kind: 'basic', username: auth.user, password: 'wrong-password' }),
      })
      const error = await failure(wrong.remote(`${locked.host}/library/test:1`).resolve())
      expect(error).toMatchObject({ code: 'unauthenticated' })
      expect(error.message).not.toContain('wrong-password')
    })

    it('takes a whole authorization value', async () => {
      const value = `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`
      await using registry = createRegistry({
        credentials: async () => ({ kind: 'header', authorization: value }),
      })
      await registry.remote(`${locked.host}/library/test:1`).resolve()
    })
  })

  describe('push', () => {
    const blobs = (layout: string) => (digest: string) => () => {
      const read = async function* () {
        yield await readFile(join(layout, 'blobs', digest.replace(':', '/')))
      }
      return read()
    }

    it('makes an image that skopeo can read, and sends nothing twice', async () => {
      await using registry = createRegistry()
      const bytes = blobs(image.layout)
      const remote = registry.remote(`${plain.host}/pushed/image:v1@${image.target.digest}`)
      const outcomes: string[] = []
      for (let round = 0; round < 2; round++) {
        for (const { manifest, config, layers } of image.manifests)
          for (const descriptor of [config, ...layers, manifest])
            outcomes.push(await remote.push(descriptorOf(descriptor), bytes(descriptor.digest)))
        outcomes.push(await remote.push(descriptorOf(image.target), bytes(image.target.digest)))
      }
      expect(outcomes).toEqual([...Array(8).fill('pushed'), ...Array(8).fill('exists')])
      const { stdout } = await runOrThrow('skopeo', [
        'inspect',
        '--raw',
        '--tls-verify=false',
        `docker://${plain.host}/pushed/image:v1`,
      ])
      expect(digestOf(Buffer.from(stdout))).toBe(image.target.digest)
      const tags = await fetch(`http://${plain.host}/v2/pushed/image/tags/list`)
      expect(await tags.json()).toEqual({ name: 'pushed/image', tags: ['v1'] })
    })

    it('mounts a blob from another repository of the registry', async () => {
      await using registry = createRegistry()
      const layer = descriptorOf(image.manifests[0]!.layers[1]!)
      const remote = registry.remote(`${plain.host}/pushed/mounted:v1`)
      const never = () => expect.unreachable('nothing is to be read')
      const outcome = await remote.push(layer, never, { mountFrom: ['not/there', 'library/test'] })
      expect(outcome).toBe('mounted')
      const again = await remote.push(layer, never)
      expect(again).toBe('exists')
    })

    it('sends the blob where no repository that is named has it', async () => {
      await using registry = createRegistry()
      const content = Buffer.from(`only here ${Math.random()}`)
      const blob = { mediaType: 'application/octet-stream', digest: digestOf(content), size: content.length }
      const read = async function* () {
        yield content
      }
      const remote = registry.remote(`${plain.host}/pushed/unmounted:v1`)
      expect(await remote.push(blob, read, { mountFrom: ['not/there', 'nor/here'] })).toBe('pushed')
      expect((await collect(remote.fetch(blob))).equals(content)).toBe(true)
    })

    it('B03 says failed_precondition for content of another digest or size', async () => {
      await using registry = createRegistry()
      const remote = registry.remote(`${plain.host}/pushed/wrong:v1`)
      const read = async function* () {
        yield Buffer.from('other')
      }
      const digest = digestOf(`wrong ${Math.random()}`)
      for (const size of [5, 6, 4]) {
        const pushed = remote.push({ mediaType: 'application/octet-stream', digest, size }, read)
        expect(await failure(pushed), `size ${size}`).toMatchObject({ code: 'failed_precondition' })
      }
    })

    it('passes on what the content cannot be read for', async () => {
      await using registry = createRegistry()
      const remote = registry.remote(`${plain.host}/pushed/unreadable:v1`)
      const broken = async function* () {
        yield Buffer.from('some')
        throw Object.assign(new Error('the disk is gone'), { code: 'ECONNRESET' })
      }
      const digest = digestOf(`unreadable ${Math.random()}`)
      const pushed = remote.push({ mediaType: 'application/octet-stream', digest, size: 100 }, broken)
      expect((await failure(pushed)).message).toBe('the disk is gone')
    })

    it('does it with a name and a password', async () => {
      await using registry = createRegistry({
        credentials: async () => ({ kind: 'basic', username: auth.user, password: auth.password }),
      })
      const content = Buffer.from('for members only')
      const blob = { mediaType: 'application/octet-stream', digest: digestOf(content), size: content.length }
      const read = async function* () {
        yield content
      }
      const remote = registry.remote(`${locked.host}/pushed/locked:v1`)
      expect(await remote.push(blob, read)).toBe('pushed')
    })
  })
})
