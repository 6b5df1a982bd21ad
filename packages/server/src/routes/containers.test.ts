import { join } from 'node:path'
import { createClient } from '@connectrpc/connect'
import { Containers } from '@nsbox/api/gen/services/containers/v1/containers_pb'
import { openContentStore } from '@nsbox/content'
import { openMetadata } from '@nsbox/metadata'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { socketTransport } from '../testing/grpc-call.ts'
import { serveRoutes } from '../testing/serve-routes.ts'
import { containersRoutes } from './containers.ts'

let resources: AsyncDisposableStack
let containers: ReturnType<typeof createClient<typeof Containers>>
/** Ids of containers of which was told that they are new. */
let made: string[]

beforeEach(async () => {
  resources = new AsyncDisposableStack()
  made = []
  const { path } = resources.use(await tempDir('nsbox-containers-route'))
  const durability = 'relaxed'
  const content = resources.use(await openContentStore({ root: join(path, 'content'), durability }))
  const database = join(path, 'metadata.db')
  const metadata = resources.use(await openMetadata({ path: database, content, durability }))
  const served = resources.use(
    await serveRoutes((router) =>
      containersRoutes(
        router,
        () => metadata.namespace('ns'),
        (_, { id }) => made.push(id),
      ),
    ),
  )
  const client = socketTransport(served.address)
  resources.defer(() => client[Symbol.dispose]())
  containers = createClient(Containers, client.transport)
})
afterEach(() => resources.disposeAsync())

const spec = {
  typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
  value: Uint8Array.of(123, 125),
}
const runtime = { name: 'io.containerd.runc.v2' }

/** The error of a call, as clients see it. */
const failure = (call: Promise<unknown>) =>
  call.then(
    () => 'success',
    (error: Error) => error.message,
  )

test('lists the same in one message and in many', async () => {
  for (const id of ['b', 'a', 'c']) await containers.create({ container: { id, runtime, spec, image: id } })
  const filters = ['image==a', 'image==b']
  const { containers: whole } = await containers.list({ filters })
  expect(whole.map(({ id }) => id)).toEqual(['a', 'b'])
  const messages = []
  for await (const message of containers.listStream({ filters })) messages.push(message)
  expect(messages.map(({ container }) => container)).toEqual(whole)
})

test('tells of each container that was made, and of none that was refused', async () => {
  await containers.create({ container: { id: 'new', runtime, spec } })
  await failure(containers.create({ container: { id: 'new', runtime, spec } }))
  await containers.update({ container: { id: 'new', labels: { a: 'b' } }, updateMask: { paths: ['labels'] } })
  expect(made).toEqual(['new'])
})

test('refuses requests that lack what they are about', async () => {
  expect(await failure(containers.create({}))).toContain('container must be set: invalid argument')
  expect(await failure(containers.update({}))).toContain('container must be set: invalid argument')
  expect(await failure(containers.create({ container: { id: 'x' } }))).toContain(
    'create container failed validation: container.Runtime.Name must be set: invalid argument',
  )
  expect(await failure(containers.create({ container: { id: 'x', runtime } }))).toContain(
    'create container failed validation: container.Spec must be set: invalid argument',
  )
  expect(await failure(containers.update({ container: { id: '', runtime, spec } }))).toContain(
    'Container.ID required: invalid argument',
  )
})

test('takes no times from clients', async () => {
  const long = { seconds: 5n, nanos: 0 }
  const request = { id: 'x', runtime, spec, createdAt: long, updatedAt: long }
  const { container } = await containers.create({ container: request })
  expect(container?.createdAt?.seconds).toBeGreaterThan(1_700_000_000n)
  const updated = await containers.update({ container: { ...request, image: 'y' } })
  expect(updated.container).toMatchObject({ image: 'y', createdAt: container?.createdAt })
  expect(updated.container?.updatedAt?.seconds).toBeGreaterThan(1_700_000_000n)
})

test('B05 takes names of what every object has for labels and extensions', async () => {
  const names = ['constructor', 'toString', '__proto__']
  const labels = Object.fromEntries(names.map((name) => [name, '1']))
  const extensions = Object.fromEntries(names.map((name) => [name, spec]))
  const { container } = await containers.create({ container: { id: 'x', runtime, spec, labels, extensions } })
  const { container: found } = await containers.get({ id: 'x' })
  expect(found).toEqual(container)
  for (const map of [found?.labels, found?.extensions])
    expect(Object.keys(map ?? {})).toEqual(expect.arrayContaining(['constructor', 'toString']))
  expect(Object.hasOwn(Object.prototype, 'typeUrl')).toBe(false)
})
