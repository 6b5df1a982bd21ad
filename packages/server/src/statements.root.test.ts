import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import { chainIds, digestOf, mediaTypes } from '@nsbox/oci'
import { type Database, openDatabase, type Transaction } from '@nsbox/sqlite'
import { type FaultServer, rawEntry, rawTar, scratchMount, startFaultServer } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Server } from './server.ts'
import { startServer } from './start.ts'

const described = (mediaType: string, bytes: string | Uint8Array) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
})

/** Serves an image of so many layers, of which no other image has one. @returns its name, and its chain ids */
function serveImage(
  registry: FaultServer,
  count: number,
): { readonly name: string; readonly chain: string[] } {
  const layers = Array.from({ length: count }, (_, n) =>
    rawTar(rawEntry({ name: `file-${n}-of-${count}`, content: 'content' })),
  )
  const diffIds = layers.map((layer) => digestOf(layer))
  const config = JSON.stringify({
    ...{ architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux' },
    rootfs: { type: 'layers', diff_ids: diffIds },
  })
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: described(mediaTypes.ociConfig, config),
    layers: layers.map((layer) => described(mediaTypes.ociLayer, layer)),
  })
  const reply = { body: manifest, headers: { 'content-type': mediaTypes.ociManifest } }
  const path = `/v2/image/of-${count}`
  for (const method of ['HEAD', 'GET'])
    for (const reference of ['1', digestOf(manifest)])
      registry.on(method, `${path}/manifests/${reference}`, reply)
  for (const blob of [config, ...layers])
    registry.on('GET', `${path}/blobs/${digestOf(blob)}`, { body: blob })
  return { name: `${registry.host}/image/of-${count}:1`, chain: [...chainIds(diffIds)] }
}

const box = {
  id: 'box',
  runtime: { name: 'io.containerd.runc.v2' },
  spec: { typeUrl: 'any', value: new Uint8Array() },
  snapshotter: 'overlayfs',
}

/** Counts the statements of all databases of this process. */
async function statementCounter(directory: string): Promise<Disposable & { count: number }> {
  await using database = await openDatabase({ path: join(directory, 'any.db'), migrations: [] })
  const prototype: Database = Object.getPrototypeOf(database)
  const counter = { count: 0, [Symbol.dispose]: () => vi.restoreAllMocks() }
  for (const name of ['get', 'all', 'upTo', 'rows'] as const) {
    const original = prototype[name] as (...given: unknown[]) => unknown
    vi.spyOn(prototype, name).mockImplementation(function (this: Database, ...given: unknown[]) {
      counter.count++
      return original.apply(this, given)
    } as never)
  }
  const transaction = prototype.transaction
  vi.spyOn(prototype, 'transaction').mockImplementation(function (
    this: Database,
    body: (tx: Transaction) => unknown,
  ) {
    counter.count += 2
    const counted = (tx: Transaction): Transaction => ({
      ...tx,
      run: (...given) => {
        counter.count++
        return tx.run(...given)
      },
    })
    return transaction.call(this, (tx) => body(counted(tx)))
  } as never)
  return counter
}

describeWith({ root: true, linux: true }, 'the statements of SQLite', () => {
  const resources = new AsyncDisposableStack()
  let server: Server
  let client: Client
  let registry: FaultServer
  let counter: Awaited<ReturnType<typeof statementCounter>>

  beforeAll(async () => {
    const { path } = resources.use(await scratchMount())
    registry = resources.use(await startFaultServer())
    server = resources.use(await startServer({ root: join(path, 'root'), durability: 'relaxed' }))
    client = resources.use(connect({ address: server.address, namespace: 'counted' }))
    counter = resources.use(await statementCounter(path))
    const { name } = serveImage(registry, 2)
    await client.pull(name, { unpack: {} })
    await client.containers.create({ ...box, image: name })
  })
  afterAll(() => resources.disposeAsync())

  /** Without those of the collector, which may have been waiting for a quiet moment. */
  async function statements(work: () => Promise<unknown>): Promise<number> {
    await server.metadata.collect()
    const before = counter.count
    await work()
    return counter.count - before
  }

  test('are those of its row and of what it refers to, for each call', async () => {
    const { name, chain } = serveImage(registry, 2)
    const { target } = await client.images.get(name)
    const labels = { changed: 'yes' }
    const calls: Record<string, [count: number, call: () => Promise<unknown>]> = {
      'Version.Version': [0, () => client.version()],
      'Images.Get': [1, () => client.images.get(name)],
      'Content.Info': [1, () => client.content.info(target.digest)],
      'Containers.Get': [1, () => client.containers.get('box')],
      'Snapshots.Stat': [1, () => client.snapshotter('overlayfs').stat(chain[0]!)],
      'Containers.Update': [5, () => client.containers.update({ id: 'box', labels }, ['labels'])],
      'Containers.Create': [6, () => client.containers.create({ ...box, id: 'other', snapshotKey: 'root' })],
      'Containers.Delete': [5, () => client.containers.delete('other')],
    }
    const counts: Record<string, number> = {}
    for (const [method, [, call]] of Object.entries(calls)) counts[method] = await statements(call)
    expect(counts).toEqual(
      Object.fromEntries(Object.entries(calls).map(([method, [count]]) => [method, count])),
    )
  })

  test('of a pull grow by a bounded number for each layer', async () => {
    const pull = async (layers: number) => {
      const { name } = serveImage(registry, layers)
      return await statements(() => client.pull(name, { unpack: {} }))
    }
    const [few, many] = [await pull(3), await pull(13)]
    // How often others are asked whether they have a layer depends on who comes first.
    expect((many - few) / 10).toBeGreaterThan(50)
    expect((many - few) / 10).toBeLessThan(85)
  })
})
