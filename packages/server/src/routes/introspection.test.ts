import { createClient } from '@connectrpc/connect'
import { packAny, unpackAny } from '@nsbox/api'
import { Health, HealthCheckResponse_ServingStatus as Status } from '@nsbox/api/gen/grpc/health/v1/health_pb'
import { Introspection } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { RuntimeInfoSchema, RuntimeRequestSchema } from '@nsbox/api/gen/types/introspection_pb'
import type { RuntimeInfoOptions } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { defaultPlatform } from '@nsbox/oci'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pluginList } from '../plugin-list.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { serveRoutes } from '../testing/serve-routes.ts'
import { healthRoutes } from './health.ts'
import { introspectionRoutes } from './introspection.ts'

const plugins = pluginList({
  snapshotters: [
    { name: 'overlayfs', root: '/r/overlayfs', refusal: new NsboxError('permission_denied', 'mounting') },
    { name: 'native', root: '/r/native' },
  ],
})

const runtimeInfo = async ({ runtimePath = 'runc' }: RuntimeInfoOptions = {}) => ({
  name: runtimePath,
  version: '1.2.3',
  revision: 'abc',
  features: { typeUrl: 'example.Features', value: new TextEncoder().encode('{}') },
})

let resources: AsyncDisposableStack
let stopping: AbortController
let transport: ReturnType<typeof socketTransport>['transport']

beforeEach(async () => {
  resources = new AsyncDisposableStack()
  stopping = new AbortController()
  const served = resources.use(
    await serveRoutes((router) => {
      introspectionRoutes(router, { uuid: 'u-1', plugins: () => plugins, runtimeInfo })
      healthRoutes(router, () => ['known.Service'], stopping.signal)
    }),
  )
  const client = socketTransport(served.address)
  resources.defer(() => client[Symbol.dispose]())
  transport = client.transport
})
afterEach(() => resources.disposeAsync())

const code = (promise: Promise<unknown>) => promise.catch((error: { code: number }) => error.code)

describe('Introspection', () => {
  test('tells identity, pid and pid namespace', async () => {
    const server = await createClient(Introspection, transport).server({})
    expect(server).toMatchObject({ uuid: 'u-1', pid: BigInt(process.pid) })
    expect(server.pidns > 0n).toBe(process.platform === 'linux')
  })

  test('lists the plugins, none of which failed but for what the host does not allow', async () => {
    const listed = (await createClient(Introspection, transport).plugins({})).plugins
    expect(listed.map(({ type, id }) => `${type} ${id}`)).toEqual(
      plugins.map(({ type, id }) => `${type} ${id}`),
    )
    const failed = listed.filter(({ initErr }) => initErr !== undefined)
    expect(failed).toMatchObject([
      {
        id: 'overlayfs',
        exports: { root: '/r/overlayfs' },
        initErr: { code: 2, message: 'mounting: permission denied: skip plugin' },
      },
    ])
  })

  test('without a runtime, what needs one does not work either', () => {
    const runtimeRefusal = 'tasks on other: not implemented'
    const skipped = pluginList({ snapshotters: [], runtimeRefusal }).filter((plugin) => plugin.skipped)
    expect(skipped.map(({ type, id }) => `${type.replace('io.containerd.', '')} ${id}`)).toEqual([
      'runtime.v2 task',
      'runtime.v2 shim',
      'internal.v1 restart',
      'sandbox.controller.v1 local',
      'service.v1 tasks-service',
      'grpc.v1 sandbox-controllers',
      'grpc.v1 tasks',
    ])
    expect(new Set(skipped.map((plugin) => plugin.skipped))).toEqual(new Set([runtimeRefusal]))
  })

  test('every type that a plugin requires is there', () => {
    const types = new Set(plugins.map(({ type }) => type))
    expect(plugins.flatMap(({ requires }) => requires).filter((type) => !types.has(type))).toEqual([])
  })

  test.each([
    [['type==io.containerd.gc.v1, id==scheduler'], ['scheduler']],
    [['type==io.containerd.snapshotter.v1, id==overlayfs'], ['overlayfs']],
    [['type==io.containerd.snapshotter.v1'], ['overlayfs', 'native']],
    [['type==io.containerd.differ.v1'], ['walking']],
    [['type==io.containerd.snapshotter.v1, id==zfs'], []],
    [
      ['id==exchange', 'id==sqlite'],
      ['exchange', 'sqlite'],
    ],
  ])('filters %j give exactly %j', async (filters, ids) => {
    const listed = (await createClient(Introspection, transport).plugins({ filters })).plugins
    expect(listed.map(({ id }) => id)).toEqual(ids)
  })

  test('tells the platform of what depends on the host', async () => {
    const { os, architecture } = defaultPlatform()
    const client = createClient(Introspection, transport)
    for (const [type, id] of [
      ['io.containerd.snapshotter.v1', 'native'],
      ['io.containerd.differ.v1', 'walking'],
    ] as const) {
      expect((await client.pluginInfo({ type, id })).plugin?.platforms).toMatchObject([{ os, architecture }])
    }
  })

  test('tells of one plugin, and refuses what it has no options for', async () => {
    const client = createClient(Introspection, transport)
    const found = await client.pluginInfo({ type: 'io.containerd.gc.v1', id: 'scheduler' })
    expect(found.plugin).toMatchObject({ type: 'io.containerd.gc.v1', id: 'scheduler' })
    expect(await code(client.pluginInfo({ type: 'io.containerd.runtime.v2', id: 'other' }))).toBe(5)
    const options = { typeUrl: 'x', value: new Uint8Array() }
    expect(await code(client.pluginInfo({ type: 'io.containerd.gc.v1', id: 'scheduler', options }))).toBe(12)
  })

  test.each([
    ['', 'runc'],
    ['io.containerd.runc.v2', 'runc'],
    ['/usr/bin/crun', '/usr/bin/crun'],
  ])('tells what tasks with the runtime %j run with', async (runtimePath, name) => {
    const { extra } = await createClient(Introspection, transport).pluginInfo({
      type: 'io.containerd.runtime.v2',
      id: 'task',
      options: packAny(RuntimeRequestSchema, { runtimePath }),
    })
    const { version, features, ...info } = unpackAny(RuntimeInfoSchema, extra!)
    expect(info.name).toBe(name)
    expect(version).toMatchObject({ version: '1.2.3', revision: 'abc' })
    expect(features?.typeUrl).toBe('example.Features')
  })
})

describe('Health', () => {
  test('the server and each of its services serve, others are not found', async () => {
    const health = createClient(Health, transport)
    expect((await health.check({})).status).toBe(Status.SERVING)
    expect((await health.check({ service: 'known.Service' })).status).toBe(Status.SERVING)
    expect(await code(health.check({ service: 'x' }))).toBe(5)
  })

  test('a watcher learns that the server stops', async () => {
    const watched = createClient(Health, transport).watch({})[Symbol.asyncIterator]()
    expect((await watched.next()).value?.status).toBe(Status.SERVING)
    const next = watched.next()
    stopping.abort()
    expect((await next).value?.status).toBe(Status.NOT_SERVING)
    expect((await watched.next()).done).toBe(true)
  })

  test('a watcher of a service that does not exist is told so', async () => {
    const watched = createClient(Health, transport).watch({ service: 'x' })[Symbol.asyncIterator]()
    expect((await watched.next()).value?.status).toBe(Status.SERVICE_UNKNOWN)
  })
})
