import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Code, type ConnectError, createClient } from '@connectrpc/connect'
import { Diff } from '@nsbox/api/gen/services/diff/v1/diff_pb'
import { type LocalContentStore, openContentStore } from '@nsbox/content'
import type { CompareOptions, Comparer, DiffMount } from '@nsbox/core/diff'
import type { Mount } from '@nsbox/core/snapshots'
import { LayerWorkers } from '@nsbox/diff'
import { withTempMount } from '@nsbox/mount'
import { type Descriptor, digestOf, mediaTypes } from '@nsbox/oci'
import { type LocalSnapshotter, openNativeSnapshotter, openOverlaySnapshotter } from '@nsbox/snapshots'
import { rawEntry, rawTar, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toDescriptorMessage } from '../convert/descriptor.ts'
import { toMountMessage } from '../convert/mount.ts'
import { localApplier } from '../diff/local-applier.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { serveRoutes } from '../testing/serve-routes.ts'
import { diffRoutes } from './diff.ts'

const archive = rawTar(rawEntry({ name: 'd/file', content: 'content' }))

describeWith({ root: true, linux: true }, 'Diff', () => {
  let resources: AsyncDisposableStack
  let content: LocalContentStore
  let snapshotter: LocalSnapshotter
  let scratch: string
  let compared: unknown[][]
  let comparing: (() => void) | undefined
  let diff: ReturnType<typeof createClient<typeof Diff>>

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    compared = []
    comparing = undefined
    scratch = resources.use(await scratchMount()).path
    content = resources.use(await openContentStore({ root: join(scratch, 'content'), durability: 'relaxed' }))
    snapshotter = resources.use(
      await openOverlaySnapshotter({ root: join(scratch, 'snapshots, a:b'), durability: 'relaxed' }),
    )
    const workers = resources.use(new LayerWorkers({ threads: 1 }))
    const comparer: Comparer = {
      async compare(lower: readonly DiffMount[], upper: readonly DiffMount[], options?: CompareOptions) {
        compared.push([lower, upper, { ...options, signal: undefined }])
        if (comparing !== undefined) {
          comparing()
          await once(options!.signal!, 'abort')
          throw options!.signal!.reason
        }
        return { mediaType: mediaTypes.ociLayerGzip, digest: digestOf('x'), size: 7 }
      },
    }
    const differ = { applier: localApplier(workers, content), comparer }
    const served = resources.use(await serveRoutes((router) => diffRoutes(router, () => differ)))
    const client = socketTransport(served.address)
    resources.defer(() => client[Symbol.dispose]())
    diff = createClient(Diff, client.transport)
  })
  afterEach(() => resources.disposeAsync())

  async function blob(bytes: Uint8Array, mediaType: string = mediaTypes.ociLayer): Promise<Descriptor> {
    await using writer = await content.writer({ ref: digestOf(bytes) })
    await writer.write(bytes)
    const { digest, size } = await writer.commit({ expected: digestOf(bytes) })
    return { mediaType, digest, size }
  }

  const apply = (layer: Descriptor, mounts: readonly Mount[], more: object = {}) =>
    diff.apply({ diff: toDescriptorMessage(layer), mounts: mounts.map(toMountMessage), ...more })

  const failure = (call: Promise<unknown>): Promise<ConnectError> =>
    call.then(
      () => expect.fail('the call succeeded'),
      (error) => error,
    )

  test('applies a layer to a snapshot and tells its diff id and size, as containerd does', async () => {
    const layer = await blob(gzipSync(archive), mediaTypes.ociLayerGzip)
    const mounts = await snapshotter.prepare('k', undefined)
    const { applied } = await apply(layer, mounts, { syncFs: true })
    expect(applied).toMatchObject({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: digestOf(archive),
      size: BigInt(archive.length),
      annotations: {},
    })
    const read = (root: string) => readFile(join(root, 'd/file'), 'utf8')
    expect(await withTempMount(mounts, read)).toBe('content')
  })

  test.each([
    ['overlay', openOverlaySnapshotter],
    ['native', openNativeSnapshotter],
  ])('leaves directories that a layer only implies as the parents have them: %s', async (_, open) => {
    const options = { root: join(scratch, 'another'), durability: 'relaxed' } as const
    const snapshotter = resources.use(await open(options))
    const base = await snapshotter.prepare('base', undefined)
    await withTempMount(base, async (root) => {
      await mkdir(join(root, 'd'))
      await chmod(join(root, 'd'), 0o710)
    })
    await snapshotter.commit('parent', 'base')
    const mounts = await snapshotter.prepare('k', 'parent')
    await apply(await blob(archive), mounts)
    const mode = async (root: string) => (await stat(join(root, 'd'))).mode & 0o7777
    expect(await withTempMount(mounts, mode)).toBe(0o710)
  })

  test('refuses what it cannot do, naming it', async () => {
    const layer = await blob(archive)
    const mounts = await snapshotter.prepare('k', undefined)
    const view = await snapshotter.view('v', undefined)
    const missing = { ...layer, digest: digestOf('missing') }
    const payload = { typeUrl: 'x', value: new Uint8Array() }
    for (const [call, code, text] of [
      [() => diff.apply({ mounts: mounts.map(toMountMessage) }), Code.InvalidArgument, 'diff must be set'],
      [() => apply(missing, mounts), Code.NotFound, digestOf('missing')],
      [() => apply({ ...layer, size: 3 }, mounts), Code.DataLoss, ''],
      [() => apply({ ...layer, mediaType: 'x/y' }, mounts), Code.Unimplemented, 'x/y'],
      [
        () => apply(layer, mounts, { payloads: { key: payload } }),
        Code.Unimplemented,
        'payload "key" of a layer',
      ],
      [() => apply(layer, []), Code.Unimplemented, ''],
      [() => apply(layer, [{ ...mounts[0]!, target: '/sub' }]), Code.Unimplemented, 'target'],
      [() => apply(layer, view), Code.FailedPrecondition, 'read-only'],
    ] as const) {
      const error = await failure(call())
      expect({ code: error.code, message: error.rawMessage }).toEqual({
        code,
        message: expect.stringContaining(text),
      })
    }
  })

  test('compares two trees with the options that the client gives', async () => {
    const [lower] = await snapshotter.view('v', undefined)
    const [upper] = await snapshotter.prepare('k', undefined)
    const request = {
      left: [toMountMessage(lower!)],
      right: [toMountMessage(upper!)],
      mediaType: mediaTypes.ociLayer,
      ref: 'r',
      labels: { a: 'b' },
      sourceDateEpoch: { seconds: 5n, nanos: 0 },
    }
    expect((await diff.diff(request)).diff).toMatchObject({
      mediaType: mediaTypes.ociLayerGzip,
      digest: digestOf('x'),
      size: 7n,
    })
    await diff.diff({ right: [toMountMessage(upper!)] })
    const options = { mediaType: mediaTypes.ociLayer, ref: 'r', sourceDateEpoch: new Date(5000) }
    expect(compared).toMatchObject([
      [[lower], [upper], { ...options, labels: { a: 'b' } }],
      [[], [upper], { labels: {} }],
    ])
    expect(Object.keys(compared[1]![2] as object)).not.toContain('mediaType')
  })

  test('ends when the client gives up, and writes nothing any more', async () => {
    const [mount] = await snapshotter.prepare('k', undefined)
    const compared = new AbortController()
    // The comparer waits for the signal, which comes once it has been called.
    comparing = () => compared.abort()
    const right = [toMountMessage(mount!)]
    expect((await failure(diff.diff({ right }, { signal: compared.signal }))).code).toBe(Code.Canceled)

    // Long enough that it still runs when its beginning has been seen.
    const zeros = rawTar(rawEntry({ name: 'zeros', content: Buffer.alloc(128 << 20) }))
    const layer = toDescriptorMessage(await blob(gzipSync(zeros, { level: 1 }), mediaTypes.ociLayerGzip))
    const applied = new AbortController()
    const applying = failure(diff.apply({ diff: layer, mounts: right }, { signal: applied.signal }))
    await expect.poll(() => readdir(mount!.source), { interval: 5 }).toEqual(['zeros'])
    applied.abort()
    expect((await applying).code).toBe(Code.Canceled)
    const size = async () => (await snapshotter.usage('k')).size
    // The client does not wait until the server has stopped.
    await expect.poll(async () => (await size()) === (await setTimeout(20).then(size))).toBe(true)
    expect(await size()).toBeLessThan(128 << 20)
  })
})
