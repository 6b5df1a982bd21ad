import { join } from 'node:path'
import { Code, ConnectError, createClient, type Client as RpcClient } from '@connectrpc/connect'
import { Controller, Store } from '@nsbox/api/gen/services/sandbox/v1/sandbox_pb'
import { connect } from '@nsbox/client'
import type { Event } from '@nsbox/core/events'
import { errorCode } from '@nsbox/errors'
import { startContainerd, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Server } from '../server.ts'
import { startServer } from '../start.ts'
import { socketTransport } from '../testing/grpc-call.ts'

const runc = { name: 'io.containerd.runc.v2' }
const opaque = (typeUrl: string, text = '') => ({ typeUrl, value: new TextEncoder().encode(text) })
const codeOf = (call: Promise<unknown>): Promise<Code | 'ok'> =>
  call.then(
    () => 'ok' as const,
    (error) => ConnectError.from(error).code,
  )

describeWith({ root: true, linux: true, programs: ['containerd', 'runc'] }, 'sandboxes', () => {
  const resources = new AsyncDisposableStack()
  let directory: string
  const addresses: Record<string, string> = {}
  let server: Server
  let store: RpcClient<typeof Store>
  let controller: RpcClient<typeof Controller>
  let headers: Record<string, string>
  let count = 0

  const start = () =>
    startServer({ root: join(directory, 'root'), state: join(directory, 'state'), durability: 'relaxed' })

  beforeAll(async () => {
    directory = resources.use(await tempDir('nsbox-sandboxes')).path
    server = await start()
    resources.defer(() => server[Symbol.asyncDispose]())
    addresses['nsbox-server'] = server.address
    addresses.containerd = resources.use(await startContainerd()).address
  })
  afterAll(() => resources.disposeAsync())

  const dial = (address: string) => {
    const { transport } = resources.use(socketTransport(address))
    store = createClient(Store, transport)
    controller = createClient(Controller, transport)
    headers = { 'containerd-namespace': `n${count++}` }
  }
  const call = () => ({ headers })
  const create = (sandboxId: string, more: object = {}) =>
    store.create({ sandbox: { sandboxId, runtime: runc, ...more } }, call())
  const update = async (fields: string[], more: object) =>
    (await store.update({ sandbox: { sandboxId: 'a', runtime: runc, ...more }, fields }, call())).sandbox!
  const get = async (sandboxId: string) => (await store.get({ sandboxId }, call())).sandbox!

  describe.each(['containerd', 'nsbox-server'])('as metadata of %s', (name) => {
    beforeEach(() => dial(addresses[name]!))

    test('are kept with all that clients say of them', async () => {
      const given = {
        runtime: { ...runc, options: opaque('o', 'options') },
        spec: opaque('s', 'spec'),
        labels: { k: 'v' },
        extensions: { e: opaque('t', 'extension') },
      }
      const created = (await create('a', given)).sandbox!
      expect(created).toMatchObject({ sandboxId: 'a', ...given })
      expect(created.createdAt).toEqual(created.updatedAt)
      expect(await get('a')).toEqual(created)
      expect(await codeOf(create('a'))).toBe(Code.AlreadyExists)
      // Runtime and spec are optional, and times are the server's.
      await create('b', { runtime: {}, createdAt: { seconds: 5n, nanos: 0 } })
      const plain = await get('b')
      expect(plain).toMatchObject({ runtime: { name: '' }, labels: {}, extensions: {} })
      expect(plain.spec).toBeUndefined()
      expect(Number(plain.createdAt!.seconds)).toBeGreaterThan(1_700_000_000)
    })

    test('are found by their id and labels', async () => {
      await create('a', { labels: { k: 'v' } })
      await create('b')
      const found = async (...filters: string[]) =>
        (await store.list({ filters }, call())).list.map(({ sandboxId }) => sandboxId)
      expect(await found()).toEqual(['a', 'b'])
      expect(await found('id==b')).toEqual(['b'])
      expect(await found('labels.k==v', 'id~=b')).toEqual(['a', 'b'])
      expect(await found('labels.k')).toEqual(['a'])
      expect(await found(`runtime.name==${runc.name}`)).toEqual([])
      expect(await codeOf(found('id=='))).toBe(Code.InvalidArgument)
    })

    test('change by the fields that are named', async () => {
      await create('a', { labels: { k: 'v' }, extensions: { e: opaque('t') }, spec: opaque('s') })
      const { createdAt } = await get('a')
      expect((await update(['labels'], { labels: { n: '1' } })).labels).toEqual({ n: '1' })
      expect((await update(['labels.k'], { labels: { k: '2', x: '3' } })).labels).toEqual({ n: '1', k: '2' })
      expect((await update(['labels.n'], {})).labels).toEqual({ k: '2' })
      const extended = await update(['extensions.f'], { extensions: { f: opaque('u') } })
      expect(Object.keys(extended.extensions).sort()).toEqual(['e', 'f'])
      expect((await update(['spec'], { spec: opaque('s2') })).spec?.typeUrl).toBe('s2')
      const other = { name: 'other', options: opaque('p') }
      expect((await update(['runtime'], { runtime: other })).runtime).toMatchObject(other)
      const changed = await get('a')
      expect(changed).toMatchObject({ createdAt, labels: { k: '2' }, runtime: other })
      expect(changed.spec?.typeUrl).toBe('s2')
      expect(await codeOf(update(['id'], {}))).toBe(Code.InvalidArgument)
      expect(await codeOf(update([], { runtime: runc }))).toBe(Code.InvalidArgument)
      const whole = await update([], { runtime: other, labels: { only: '1' } })
      expect(whole).toMatchObject({ labels: { only: '1' }, extensions: {} })
      expect(whole.spec).toBeUndefined()
    })

    test('are refused with a malformed id or none, and without a namespace', async () => {
      for (const id of ['', 'a/b', '.a', 'a'.repeat(77)])
        expect(await codeOf(create(id)), id).toBe(Code.InvalidArgument)
      expect(await codeOf(store.create({ sandbox: { sandboxId: 'a', runtime: runc } }))).toBe(
        Code.FailedPrecondition,
      )
      expect((await store.list({}, call())).list).toEqual([])
    })

    test('are not found where there are none, in another namespace or after their deletion', async () => {
      expect(await codeOf(get('a'))).toBe(Code.NotFound)
      expect(await codeOf(update([], {}))).toBe(Code.NotFound)
      expect(await codeOf(store.delete({ sandboxId: 'a' }, call()))).toBe(Code.NotFound)
      await create('a')
      const here = headers
      headers = { 'containerd-namespace': `n${count++}` }
      expect(await codeOf(get('a'))).toBe(Code.NotFound)
      expect((await store.list({}, call())).list).toEqual([])
      headers = here
      await store.delete({ sandboxId: 'a' }, call())
      expect(await codeOf(get('a'))).toBe(Code.NotFound)
    })

    test('are controlled only if they are there', async () => {
      expect(await codeOf(controller.create({ sandboxId: 'a' }, call()))).toBe(Code.NotFound)
      for (const method of [controller.stop, controller.wait, controller.shutdown])
        expect(await codeOf(method({ sandboxId: 'a' }, call()))).toBe(Code.NotFound)
      const { sandboxId, pid, exitedAt } = await controller.status({ sandboxId: 'a' }, call())
      expect({ sandboxId, pid }).toEqual({ sandboxId: 'a', pid: 0 })
      expect(exitedAt).toBeDefined()
      for (const method of [controller.metrics, controller.update])
        expect(await codeOf(method({ sandboxId: 'a' }, call()))).toBe(Code.Unimplemented)
    })

    test('that were created cannot be created again', async () => {
      await create('a', { spec: opaque('types.containerd.io/opencontainers/runtime-spec/1/Spec', '{}') })
      // containerd 1.7 does the work, and then fails to publish the event.
      const created = name === 'containerd' ? Code.InvalidArgument : 'ok'
      expect(await codeOf(controller.create({ sandboxId: 'a' }, call()))).toBe(created)
      expect(await codeOf(controller.create({ sandboxId: 'a' }, call()))).toBe(Code.AlreadyExists)
      await controller.stop({ sandboxId: 'a' }, call())
    })
  })

  describe('of nsbox-server', () => {
    beforeEach(() => dial(server.address))

    test('go from their creation to their end, with events, and over a restart of the server', async () => {
      await using client = connect({ address: server.address, namespace: headers['containerd-namespace']! })
      const seen: Event[] = []
      const stop = new AbortController()
      const watching = (async () => {
        for await (const { event } of client.events.subscribe(['topic~=/sandboxes/'], {
          signal: stop.signal,
        }))
          seen.push(event)
      })().catch(() => undefined)
      await create('first')
      await expect
        .poll(async () => {
          await controller.create({ sandboxId: 'first' }, call())
          await controller.shutdown({ sandboxId: 'first' }, call())
          return seen.length
        })
        .toBeGreaterThan(0)
      const told = () => seen.filter((event) => JSON.stringify(event).includes('"sandboxId":"a"'))
      await create('a')
      await controller.create({ sandboxId: 'a' }, call())
      const state = async () => (await controller.status({ sandboxId: 'a' }, call())).state
      expect(await state()).toBe('SANDBOX_NOTREADY')
      const started = await controller.start({ sandboxId: 'a' }, call())
      expect(await controller.start({ sandboxId: 'a' }, call())).toEqual(started)
      expect(await state()).toBe('SANDBOX_READY')
      expect((await controller.platform({ sandboxId: 'a' }, call())).platform?.os).toBe('linux')
      const waiting = controller.wait({ sandboxId: 'a' }, call())
      await controller.stop({ sandboxId: 'a' }, call())
      const exit = await waiting
      expect(exit.exitStatus).toBe(0)
      expect(await controller.wait({ sandboxId: 'a' }, call())).toEqual(exit)
      expect(await state()).toBe('SANDBOX_NOTREADY')
      expect(await codeOf(controller.start({ sandboxId: 'a' }, call()))).toBe(Code.FailedPrecondition)
      await expect.poll(() => told().length).toBe(3)
      expect(told()).toMatchObject([
        { topic: '/sandboxes/create', payload: { sandboxId: 'a' } },
        { topic: '/sandboxes/start', payload: { sandboxId: 'a' } },
        { topic: '/sandboxes/exit', payload: { sandboxId: 'a', exitStatus: 0 } },
      ])
      stop.abort()
      await watching
      await client[Symbol.asyncDispose]()
      const kept = headers
      await server[Symbol.asyncDispose]()
      server = await start()
      dial(server.address)
      headers = kept
      expect(await get('a')).toMatchObject({ sandboxId: 'a' })
      expect(await state()).toBe('SANDBOX_NOTREADY')
      expect(await controller.wait({ sandboxId: 'a' }, call())).toEqual(exit)
      await controller.shutdown({ sandboxId: 'a' }, call())
      expect(await codeOf(controller.stop({ sandboxId: 'a' }, call()))).toBe(Code.NotFound)
      expect(await codeOf(controller.create({ sandboxId: 'a' }, call()))).toBe('ok')
    })

    test('are refused for a runtime without sandboxes, and with what none has', async () => {
      await create('none', { runtime: {} })
      await create('other', { runtime: { name: 'io.containerd.other.v1' } })
      await create('a')
      const code = (request: object) => codeOf(controller.create({ sandboxId: 'a', ...request }, call()))
      expect(await code({ sandboxId: 'none' })).toBe(Code.InvalidArgument)
      expect(await code({ sandboxId: 'other' })).toBe(Code.Unimplemented)
      expect(await code({ rootfs: [{ type: 'bind', source: '/' }] })).toBe(Code.Unimplemented)
      expect(await code({ netnsPath: '/proc/self/ns/net' })).toBe(Code.Unimplemented)
      expect(await code({ sandboxer: 'podsandbox' })).toBe(Code.NotFound)
      expect(await code({ sandboxer: 'shim' })).toBe('ok')
      for (const id of ['../a', 'a/../a', '.a', ''])
        expect(await codeOf(controller.stop({ sandboxId: id }, call()))).toBe(Code.NotFound)
    })

    test('let a task of a container in them be made, and only then', async () => {
      await using client = connect({ address: server.address, namespace: headers['containerd-namespace']! })
      const spec = opaque('types.containerd.io/opencontainers/runtime-spec/1/Spec', '{}')
      await client.containers.create({ id: 'c', runtime: runc, spec, sandbox: 'a' })
      await expect(client.tasks.create('c')).rejects.toMatchObject({ code: 'not_found' })
      await create('a')
      await expect(client.tasks.create('c')).rejects.toMatchObject({ code: 'not_found' })
      await controller.create({ sandboxId: 'a' }, call())
      // The next error is about the spec.
      expect(await client.tasks.create('c').catch(errorCode)).not.toBe('not_found')
      expect(await client.tasks.create('c').catch(String)).toContain('OCI runtime create failed')
    })
  })
})
