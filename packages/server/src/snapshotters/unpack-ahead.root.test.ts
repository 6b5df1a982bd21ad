import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type CallOptions, type Client, Code, type ConnectError, createClient } from '@connectrpc/connect'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { readBlob } from '@nsbox/core/content'
import { withTempMount } from '@nsbox/mount'
import { chainIds, childGcLabels, type Descriptor, type Digest, digestOf, mediaTypes } from '@nsbox/oci'
import { type RawHeader, rawEntry, rawTar, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Server } from '../server.ts'
import { startServer } from '../start.ts'
import { socketTransport } from '../testing/grpc-call.ts'

interface TestImage {
  readonly manifest: Buffer
  readonly config: Buffer
  readonly layers: readonly Buffer[]
  readonly children: readonly Descriptor[]
  readonly chain: readonly Digest[]
}

const entries = (name: string): RawHeader[] => [
  { name, content: name },
  { name: 'last', content: name },
]

/** An image of a layer for each name, that adds a file of the name and changes one. */
function image(
  names: readonly string[],
  { states = true, diffIds }: { states?: boolean; diffIds?: readonly Digest[] } = {},
): TestImage {
  const layers = names.map((name) => rawTar(...entries(name).map(rawEntry)))
  const said = diffIds ?? layers.map((layer) => digestOf(layer))
  const rootfs = { type: 'layers', diff_ids: said }
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs }))
  const described = (mediaType: string, bytes: Buffer): Descriptor => {
    return { mediaType, digest: digestOf(bytes), size: bytes.length }
  }
  const [configDescriptor, ...layerDescriptors] = [
    described(mediaTypes.ociConfig, config),
    ...layers.map((layer) => described(mediaTypes.ociLayer, layer)),
  ]
  const type = states ? { mediaType: mediaTypes.ociManifest } : {}
  const document = { schemaVersion: 2, ...type, config: configDescriptor, layers: layerDescriptors }
  const children = [configDescriptor!, ...layerDescriptors]
  return { manifest: Buffer.from(JSON.stringify(document)), config, layers, children, chain: chainIds(said) }
}

describeWith({ root: true, linux: true }, 'a server that is asked for one layer after the other', () => {
  let resources: AsyncDisposableStack
  let root: string
  let server: Server
  let snapshots: Client<typeof Snapshots>
  let logged: { msg: string; chainId: string; err: { message: string } }[]

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    logged = []
    root = join(resources.use(await scratchMount()).path, 'root')
    const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) })
    server = resources.use(await startServer({ root, durability: 'relaxed' }, { log }))
    const client = resources.adopt(socketTransport(server.address), (opened) => opened[Symbol.dispose]())
    snapshots = createClient(Snapshots, client.transport)
  })
  afterEach(() => resources.disposeAsync())

  const view = (namespace = 'n', lease?: string) => server.metadata.namespace(namespace, { lease })

  /** Writes an image as a client does that fetches it; without the layers of these numbers. */
  async function fetched(
    { manifest, config, layers, children }: TestImage,
    { namespace = 'n', lacking = [] as readonly number[], labelled = true } = {},
  ): Promise<CallOptions> {
    const { id } = await view(namespace).leases.create()
    const { content } = view(namespace, id)
    const arrived = layers.filter((_, index) => !lacking.includes(index))
    for (const blob of [manifest, config, ...arrived]) {
      await using writer = await content.writer({ ref: digestOf(blob) })
      await writer.write(blob)
      const labels = labelled && blob === manifest ? childGcLabels(children) : {}
      await writer.commit({ labels })
    }
    return { headers: { 'containerd-namespace': namespace, 'containerd-lease': id } }
  }

  async function names(namespace = 'n'): Promise<string[]> {
    const found: string[] = []
    for await (const { name, kind } of view(namespace).snapshotter('overlayfs').list())
      found.push(kind === 'committed' ? name : `${kind} ${name}`)
    return found.sort()
  }

  const sorted = (chain: readonly Digest[]) => [...chain].sort()
  const failure = (call: Promise<unknown>): Promise<ConnectError> =>
    call.then(
      () => expect.fail('the call succeeded'),
      (error) => error,
    )
  /** What a client prepares to apply a layer to. */
  const layerOf = (chainId: Digest, parent = '', labels: Record<string, string> = {}) => {
    const key = `extract-1-abcd ${chainId}`
    return { key, parent, labels: { 'containerd.io/snapshot.ref': chainId, ...labels } }
  }

  test('has unpacked them all by the time that it says the lowest is there', async () => {
    const { chain, ...rest } = image(['a', 'b', 'c'])
    const options = await fetched({ chain, ...rest })
    expect((await snapshots.stat({ key: chain[0]! }, options)).info?.name).toBe(chain[0])
    expect(await names()).toEqual(sorted(chain))
    const mounts = await view().snapshotter('overlayfs').view('v', chain[2]!)
    const read = (path: string) =>
      Promise.all(['a', 'b', 'c', 'last'].map((name) => readFile(join(path, name), 'utf8')))
    expect(await withTempMount(mounts, read)).toEqual(['a', 'b', 'c', 'c'])
    expect((await view().content.info(digestOf(rest.layers[1]!))).labels).toEqual({
      'containerd.io/uncompressed': digestOf(rest.layers[1]!),
    })
  })

  test('has those below as well when it is asked for the highest', async () => {
    const asked = image(['a', 'b', 'c'], { states: false })
    const options = await fetched(asked)
    expect((await snapshots.stat({ key: asked.chain[2]! }, options)).info?.parent).toBe(asked.chain[1])
    expect(await names()).toEqual(sorted(asked.chain))
  })

  test('holds what it has unpacked by the lease of the call, until that ends', async () => {
    const asked = image(['a', 'b'])
    const options = await fetched(asked)
    await snapshots.stat({ key: asked.chain[0]! }, options)
    await server.metadata.collect()
    expect(await names()).toEqual(sorted(asked.chain))
    const [lease] = await view().leases.list()
    await view().leases.delete(lease!.id, { sync: true })
    expect(await names()).toEqual([])
  })

  test('tells who prepares a layer for its snapshot that this is there', async () => {
    const asked = image(['a', 'b', 'c'])
    const options = await fetched(asked)
    const told = { 'containerd.io/snapshot/cri.image-ref': 'registry.test/a:1' }
    const error = await failure(snapshots.prepare(layerOf(asked.chain[0]!, '', told), options))
    expect(error.code).toBe(Code.AlreadyExists)
    expect(await names()).toEqual(sorted(asked.chain))
  })

  test('goes as far as the layers have come', async () => {
    const asked = image(['a', 'b', 'c', 'd'])
    const options = await fetched(asked, { lacking: [2] })
    await snapshots.stat({ key: asked.chain[0]! }, options)
    expect(await names()).toEqual(sorted(asked.chain.slice(0, 2)))
    for (const chainId of asked.chain.slice(2))
      expect((await failure(snapshots.stat({ key: chainId }, options))).code).toBe(Code.NotFound)
    await snapshots.prepare(layerOf(asked.chain[2]!, asked.chain[1]), options)
    expect(await names()).toEqual([
      `active extract-1-abcd ${asked.chain[2]}`,
      ...sorted(asked.chain.slice(0, 2)),
    ])
  })

  test('unpacks for two namespaces at once no layer twice', async () => {
    const asked = image(['a', 'b', 'c'])
    const both = await Promise.all(['n', 'm'].map((namespace) => fetched(asked, { namespace })))
    await Promise.all(both.map((options) => snapshots.stat({ key: asked.chain[0]! }, options)))
    expect([await names('n'), await names('m')]).toEqual([sorted(asked.chain), sorted(asked.chain)])
    expect(await readdir(join(root, 'snapshots/overlayfs/snapshots'))).toHaveLength(3)
  })

  const unpacked = async (asked: TestImage, namespace: string) => {
    await snapshots.stat({ key: asked.chain.at(-1)! }, await fetched(asked, { namespace }))
  }
  const blobs = async (namespace: string) => {
    const found: Digest[] = []
    for await (const { digest } of view(namespace).content.list()) found.push(digest)
    return found
  }

  test.each<[string, CallOptions]>([
    ['asks', {}],
    ['asks in a hurry', { timeoutMs: 60_000 }],
  ])(
    'gives a namespace that %s for what another has unpacked the layers of it as well',
    async (_, asking) => {
      const asked = image(['a', 'b', 'c'])
      await unpacked(asked, 'n')
      const options = { ...(await fetched(asked, { namespace: 'm', lacking: [0, 1, 2] })), ...asking }
      expect((await snapshots.stat({ key: asked.chain[1]! }, options)).info?.name).toBe(asked.chain[1])
      await server.metadata.collect()
      const layers = asked.layers.map((layer) => digestOf(layer))
      expect(await blobs('m')).toEqual(expect.arrayContaining(layers.slice(0, 2)))
      expect(await blobs('m')).not.toContain(layers[2])
      const error = await failure(snapshots.prepare(layerOf(asked.chain[2]!, asked.chain[1]), options))
      expect(error.code).toBe(Code.AlreadyExists)
      expect(await blobs('m')).toEqual(expect.arrayContaining(layers))
      expect(await names('m')).toEqual(sorted(asked.chain))
      expect(await readBlob(view('m').content, asked.children[3]!, { limit: 10_000 })).toEqual(
        new Uint8Array(asked.layers[2]!),
      )
    },
  )

  test('lets a namespace unpack again what another has unpacked and has not kept the layers of', async () => {
    const asked = image(['a', 'b'])
    await unpacked(asked, 'n')
    await view().content.delete(digestOf(asked.layers[0]!))
    const options = await fetched(asked, { namespace: 'm', lacking: [0, 1] })
    for (const key of asked.chain)
      expect((await failure(snapshots.stat({ key }, options))).code).toBe(Code.NotFound)
    expect((await snapshots.prepare(layerOf(asked.chain[0]!), options)).mounts).toHaveLength(1)
    expect(await blobs('m')).toHaveLength(2)
  })

  test.each<[string, Parameters<typeof fetched>[1], (options: CallOptions) => CallOptions]>([
    ['without a lease', {}, () => ({ headers: { 'containerd-namespace': 'n' } })],
    ['under a lease that holds no manifest', { labelled: false }, (options) => options],
    ['by a call with a deadline', {}, (options) => ({ ...options, timeoutMs: 60_000 })],
    ['before its layer has come', { lacking: [0] }, (options) => options],
  ])('unpacks nothing when it is asked %s', async (_, fetching, asking) => {
    const asked = image(['a', 'b', 'c'])
    const options = asking(await fetched(asked, fetching))
    expect((await failure(snapshots.stat({ key: asked.chain[0]! }, options))).code).toBe(Code.NotFound)
    expect(await names()).toEqual([])
  })

  test('leaves a single layer to its client, and snapshots that are to be mapped or labelled in its way', async () => {
    const single = image(['a'])
    const options = await fetched(single)
    expect((await failure(snapshots.stat({ key: single.chain[0]! }, options))).code).toBe(Code.NotFound)
    const several = image(['b', 'c'])
    const others = await fetched(several)
    for (const label of ['containerd.io/snapshot/uidmapping', 'containerd.io/gc.root']) {
      const prepared = { ...layerOf(several.chain[0]!, '', { [label]: '0:100000:65536' }), key: label }
      await snapshots.prepare(prepared, others)
    }
    expect(await names()).toEqual([
      'active containerd.io/gc.root',
      'active containerd.io/snapshot/uidmapping',
    ])
  })

  test('leaves an image that is not what it says to its client, and does not try it again', async () => {
    const wrong = digestOf('something else')
    const said = ['a', 'b'].map((name) => digestOf(rawTar(...entries(name).map(rawEntry))))
    const asked = image(['a', 'b', 'c'], { diffIds: [...said, wrong] })
    const options = await fetched(asked)
    for (const _ of ['first', 'again'])
      expect((await failure(snapshots.stat({ key: asked.chain[2]! }, options))).code).toBe(Code.NotFound)
    expect((await names()).filter((name) => name.startsWith('active'))).toEqual([])
    const told = logged.filter(({ msg }) => msg === 'unpacking layers ahead of a client')
    expect(told.map(({ chainId }) => chainId)).toEqual([asked.chain[2]])
    expect(told[0]?.err.message).toContain(wrong)
  })

  test('ends its work with the call, and leaves nothing half done', async () => {
    const asked = image(Array.from({ length: 120 }, (_, index) => `file-${index}`))
    const options = await fetched(asked)
    const cancelling = new AbortController()
    const asking = failure(
      snapshots.stat({ key: asked.chain[0]! }, { ...options, signal: cancelling.signal }),
    )
    await expect.poll(names, { interval: 5 }).not.toEqual([])
    cancelling.abort()
    expect((await asking).code).toBe(Code.Canceled)
    await expect.poll(async () => (await names()).filter((name) => name.startsWith('active'))).toEqual([])
    expect((await names()).length).toBeLessThan(120)
    await snapshots.stat({ key: asked.chain[119]! }, options)
    expect(await names()).toEqual(sorted(asked.chain))
  })
})
