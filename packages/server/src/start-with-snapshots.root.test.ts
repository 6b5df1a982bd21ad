import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type CallOptions, Code, type ConnectError, createClient } from '@connectrpc/connect'
import { Diff } from '@nsbox/api/gen/services/diff/v1/diff_pb'
import { Introspection } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { mount, overlayMount } from '@nsbox/mount'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startServer } from './start.ts'
import { socketTransport } from './testing/grpc-call.ts'

describeWith({ root: true, linux: true }, 'a server with snapshots', () => {
  let resources: AsyncDisposableStack
  let scratch: string

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    scratch = resources.use(await scratchMount()).path
  })
  afterEach(() => resources.disposeAsync())

  async function serve(root = join(scratch, 'root')) {
    const server = resources.use(await startServer({ root, durability: 'relaxed' }))
    const client = resources.adopt(socketTransport(server.address), (opened) => opened[Symbol.dispose]())
    return {
      server,
      snapshots: createClient(Snapshots, client.transport),
      diff: createClient(Diff, client.transport),
      leases: createClient(Leases, client.transport),
      namespaces: createClient(Namespaces, client.transport),
      introspection: createClient(Introspection, client.transport),
    }
  }

  /** Without such a label or a lease it may be collected at any time. */
  const kept = { 'containerd.io/gc.root': 'now' }

  const within = (namespace: string, lease?: string): CallOptions => ({
    headers: { 'containerd-namespace': namespace, ...(lease && { 'containerd-lease': lease }) },
  })

  const failure = (call: Promise<unknown>): Promise<ConnectError> =>
    call.then(
      () => expect.fail('the call succeeded'),
      (error) => error,
    )

  test('keeps those of each namespace apart, and needs one', async () => {
    const { snapshots, diff } = await serve()
    await snapshots.prepare({ key: 'k', labels: kept }, within('a'))
    await snapshots.prepare({ key: 'k', labels: kept }, within('b'))
    await snapshots.remove({ key: 'k' }, within('b'))
    expect((await snapshots.stat({ key: 'k' }, within('a'))).info?.name).toBe('k')
    expect((await failure(snapshots.stat({ key: 'k' }, within('b')))).code).toBe(Code.NotFound)
    for (const call of [snapshots.stat({ key: 'k' }), diff.diff({}), diff.apply({})]) {
      expect((await failure(call)).rawMessage).toBe('namespace is required: failed precondition')
    }
  })

  test('takes the snapshotter of whoever names none from the label of the namespace', async () => {
    const { snapshots, namespaces } = await serve()
    await snapshots.prepare({ key: 'k', labels: kept }, within('plain'))
    expect((await snapshots.stat({ snapshotter: 'overlayfs', key: 'k' }, within('plain'))).info?.name).toBe(
      'k',
    )
    const labels = { 'containerd.io/defaults/snapshotter': 'other' }
    await namespaces.create({ namespace: { name: 'labelled', labels } })
    const options = within('labelled')
    expect((await failure(snapshots.prepare({ key: 'k' }, options))).rawMessage).toBe(
      'snapshotter not loaded: other: invalid argument',
    )
    await snapshots.prepare({ snapshotter: 'overlayfs', key: 'k' }, options)
  })

  test('has the lease of a call hold what it makes', async () => {
    const { server, snapshots, leases } = await serve()
    const { lease } = await leases.create({ id: 'held' }, within('n'))
    await snapshots.prepare({ key: 'k' }, within('n', lease?.id))
    const held = await leases.listResources({ id: 'held' }, within('n'))
    expect(held.resources).toMatchObject([{ type: 'snapshots/overlayfs', id: 'k' }])
    await snapshots.prepare({ key: 'not held' }, within('n'))
    await server.metadata.collect()
    const names: string[] = []
    for await (const { info } of snapshots.list({}, within('n'))) names.push(...info.map(({ name }) => name))
    expect(names).toEqual(['k'])
    expect((await failure(snapshots.prepare({ key: 'x' }, within('n', 'gone')))).code).toBe(Code.NotFound)
  })

  test('removes what a killed one left, and keeps what is there', async () => {
    const first = await serve()
    await first.snapshots.prepare({ key: 'k', labels: kept }, within('n'))
    await first.server[Symbol.asyncDispose]()
    const directory = join(scratch, 'root/snapshots/overlayfs/snapshots')
    const there = await readdir(directory)
    await mkdir(join(directory, '99/fs'), { recursive: true })
    const second = await serve()
    await expect.poll(() => readdir(directory)).toEqual(there)
    expect((await second.snapshots.mounts({ key: 'k' }, within('n'))).mounts).toHaveLength(1)
  })

  test('shows the snapshotter, and that a parent may be named at commit', async () => {
    const { introspection } = await serve()
    const filters = ['type==io.containerd.snapshotter.v1, id==overlayfs']
    const [plugin] = (await introspection.plugins({ filters })).plugins
    expect(plugin).toMatchObject({
      exports: { root: join(scratch, 'root/snapshots/overlayfs') },
      capabilities: ['rebase'],
    })
    expect(plugin?.initErr).toBeUndefined()
  })

  test('does without a snapshotter that the file system is not for, and says why', async () => {
    const first = await serve(join(scratch, 'lower'))
    await first.snapshots.prepare({ key: 'k', labels: kept }, within('n'))
    await first.server[Symbol.asyncDispose]()
    // The same data root, on an overlay, which cannot hold the layers of another overlay.
    const [lower, upper, work, mounted] = ['lower', 'upper', 'work', 'mounted'].map((name) =>
      join(scratch, name),
    )
    for (const path of [upper, work, mounted]) await mkdir(path!)
    await mount(overlayMount({ lower: [lower!], upper: upper!, work: work! }), mounted!)

    const { server, snapshots, introspection } = await serve(mounted)
    const filters = ['type==io.containerd.snapshotter.v1, id==overlayfs']
    const { plugins } = await introspection.plugins({ filters })
    expect(plugins).toMatchObject([
      { id: 'overlayfs', initErr: { message: expect.stringMatching(/: skip plugin$/) } },
    ])
    const refused = await failure(snapshots.stat({ snapshotter: 'overlayfs', key: 'k' }, within('n')))
    expect(refused.code).toBe(Code.InvalidArgument)
    expect(refused.rawMessage).toMatch(
      /^snapshotter not loaded: overlayfs: overlays in .*: failed precondition: invalid argument$/,
    )
    await server.metadata.collect()
    await server[Symbol.asyncDispose]()
  })
})
