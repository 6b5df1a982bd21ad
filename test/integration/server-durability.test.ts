import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import { digestOf } from '@nsbox/oci'
import {
  buildImage,
  filesLayer,
  pushImage,
  type SystemCall,
  startRegistry,
  type Trace,
  tempDir,
  traceProcess,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

const traced = ['pwrite64', 'fdatasync', 'fsync', 'syncfs', 'rename', 'write', 'writev', 'sendmsg', 'sendto']

const isLogWrite = ({ name, args }: SystemCall) => name === 'pwrite64' && /^\d+<[^>]*-wal>/.test(args)
const isLogSync = ({ name, args }: SystemCall) => name === 'fdatasync' && /^\d+<[^>]*-wal>/.test(args)
/** What goes to a client or a registry, not to the log. */
const isSent = ({ name, args }: SystemCall) =>
  ['write', 'writev', 'sendmsg', 'sendto'].includes(name) &&
  /^(?!2<)\d+<(socket|UNIX)/.test(args) &&
  !isMereEnd(args) &&
  !isQuestion(args)

/**
 * A write of nothing but an HTTP/2 frame of trailers with one header field of one byte: `grpc-status: 0` after a
 * message that was held until the disk had what it tells. It tells nothing more, and the collector may have committed
 * something meanwhile.
 */
const isMereEnd = (args: string) => /, "\\0\\0\\1\\1\\5[^"]*", 10$/.test(args)

/** A request to a registry, which is told nothing. */
const isQuestion = (args: string) => / "(GET|HEAD) \/v2\//.test(args)

/** Whatever was sent although something that had been committed before was not on disk yet. */
function sentTooEarly(calls: readonly SystemCall[]): SystemCall[] {
  return calls.filter(isSent).filter((sent) => {
    const written = calls.filter((call) => isLogWrite(call) && call.returned < sent.entered)
    const last = written.reduce((latest, { returned }) => Math.max(latest, returned), -1)
    const covers = (sync: SystemCall) => sync.entered > last && sync.returned < sent.entered
    return last >= 0 && !calls.some((call) => isLogSync(call) && covers(call))
  })
}

const programs = ['strace', 'docker-registry', 'skopeo']

describeWith({ root: true, linux: true, programs }, 'the answers of a server', () => {
  let resources: AsyncDisposableStack
  let server: TestServer
  let client: Client
  let other: Client
  let trace: Trace

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    await traceServer()
  })
  afterEach(() => resources.disposeAsync())

  async function traceServer(args: string[] = []): Promise<void> {
    server = resources.use(await startServer({ args }))
    client = resources.use(connect({ address: server.address, namespace: 'n' }))
    other = resources.use(connect({ address: server.address, namespace: 'n' }))
    // Connections say what there is to say about themselves before the trace begins.
    await client.version()
    await other.version()
    trace = resources.use(await traceProcess(traced, server.process.pid))
  }

  const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: digestOf('x'), size: 1 }

  it('come after the sync of what they tell, one by one', async () => {
    for (let i = 0; i < 20; i++) await client.images.create({ name: `i${i}`, target })
    await client.images.update('i0', { labels: { merge: { a: 'b' } } })
    await client.images.delete('i1')
    await client.leases.create({ id: 'l' })
    await client.namespaces.create({ name: 'other' })
    const calls = await trace.stop()
    expect(calls.filter(isLogWrite).length).toBeGreaterThanOrEqual(24)
    expect(calls.filter(isSent).length).toBeGreaterThanOrEqual(24)
    expect(sentTooEarly(calls)).toEqual([])
    // One for each, and one that the collector may have made necessary.
    expect(calls.filter(isLogSync).length).toBeLessThanOrEqual(25)
  })

  it('come after the sync of what they have only read', async () => {
    for (let i = 0; i < 10; i++) {
      const [, found] = await Promise.all([
        client.images.create({ name: `i${i}`, target }),
        client.images.list(),
      ])
      expect([i, i + 1]).toContain(found.length)
    }
    const calls = await trace.stop()
    expect(calls.filter(isLogWrite).length).toBeGreaterThanOrEqual(10)
    expect(sentTooEarly(calls)).toEqual([])
  })

  it('include events, which come after the sync as well', async () => {
    const controller = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const { event } of other.events.subscribe([], controller)) seen.push(event.topic)
    })().catch(() => undefined)
    for (let i = 0; seen.length < 10; i++) {
      expect(i).toBeLessThan(1000)
      await client.images.create({ name: `i${i}`, target })
    }
    controller.abort()
    await watching
    expect(sentTooEarly(await trace.stop())).toEqual([])
  })

  it('come after a blob’s bytes, its name and its record are on disk, in this order', async () => {
    const bytes = Buffer.from('hello')
    // What nothing holds is collected at once, and what the collector commits no answer waits for.
    await using lease = await client.createLease()
    {
      await using writer = await lease.client.content.writer({ ref: 'r' })
      await writer.write(bytes)
      await writer.commit()
    }
    const calls = await trace.stop()
    expect(sentTooEarly(calls)).toEqual([])
    const hex = digestOf(bytes).slice('sha256:'.length)
    const renamed = calls.findLast(
      ({ name, args }) => name === 'rename' && args.includes(`blobs/sha256/${hex}`),
    )
    const synced = calls.find(({ name, args }) => name.endsWith('sync') && args.includes('/ingest/'))
    const directory = calls.findLast(({ name, args }) => name === 'fsync' && args.includes('/blobs/sha256>'))
    const record = calls.findLast(isLogWrite)
    expect(synced?.returned).toBeLessThan(renamed?.entered ?? -1)
    expect(renamed?.returned).toBeLessThan(directory?.entered ?? -1)
    expect(directory?.returned).toBeLessThan(record?.entered ?? -1)
  })

  it('come after a snapshot’s files, its record and its name are on disk, in this order', async () => {
    await using lease = await client.createLease()
    const snapshotter = lease.client.snapshotter('overlayfs')
    const [mount] = await snapshotter.prepare('key', undefined)
    await writeFile(join(mount!.source, 'file'), 'x')
    await snapshotter.commit('name', 'key')
    const calls = await trace.stop()
    expect(sentTooEarly(calls)).toEqual([])
    const ofSnapshotter = ({ args }: SystemCall) => args.includes('/snapshots/overlayfs/metadata.db-wal>')
    const files = calls.findLast(({ name }) => name === 'syncfs')
    const record = calls.findLast((call) => isLogWrite(call) && ofSnapshotter(call))
    const recordSync = calls.findLast((call) => isLogSync(call) && ofSnapshotter(call))
    const named = calls.findLast((call) => isLogWrite(call) && !ofSnapshotter(call))
    expect(files?.returned).toBeLessThan(record?.entered ?? -1)
    expect(record?.returned).toBeLessThan(recordSync?.entered ?? -1)
    expect(recordSync?.returned).toBeLessThan(named?.entered ?? -1)
  })

  it('of a pull come after the sync of all that it has done so far', async () => {
    const registry = resources.use(await startRegistry())
    const layout = resources.use(await tempDir('nsbox-layout')).path
    const layers = Array.from({ length: 20 }, (_, index) => filesLayer({ [`file${index}`]: `${index}` }))
    const { reference } = await pushImage(await buildImage(layout, { layers }), registry, 'twenty:1')
    await client.pull(reference, { defaultScheme: 'http', unpack: { snapshotter: 'overlayfs' } })
    const calls = await trace.stop()
    expect(sentTooEarly(calls)).toEqual([])
    expect(calls.filter(isLogWrite).length).toBeGreaterThan(4 * layers.length)
    // What it costs: one question of the registry for the name, the manifest, the config and each layer; writes are
    // grouped, and files are synced with their directories, or all of a file system together.
    const count = (wanted: (call: SystemCall) => boolean) => calls.filter(wanted).length
    expect(count(({ args }) => isQuestion(args))).toBe(3 + layers.length)
    expect(count(isLogSync)).toBeLessThanOrEqual(2 * layers.length)
    expect(count(({ name }) => name === 'fsync')).toBeLessThanOrEqual(2 * (2 + layers.length) + 4)
    expect(count(({ name }) => name === 'syncfs')).toBeLessThanOrEqual(layers.length)
  })

  it('do not wait with relaxed durability, which this test would notice', async () => {
    await traceServer(['--durability', 'relaxed'])
    await client.images.create({ name: 'i', target })
    const calls = await trace.stop()
    expect(calls.filter(isLogSync)).toEqual([])
    expect(sentTooEarly(calls)).not.toEqual([])
  })

  it('of writers at the same time share syncs', async () => {
    const count = 200
    await Promise.all(
      Array.from({ length: count }, (_, i) => client.images.create({ name: `i${i}`, target })),
    )
    const calls = await trace.stop()
    const syncs = calls.filter(isLogSync).length
    expect(syncs).toBeGreaterThan(0)
    expect(syncs).toBeLessThan(count / 4)
  })
})
