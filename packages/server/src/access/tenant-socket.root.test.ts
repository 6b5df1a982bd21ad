import { rename, stat, writeFile } from 'node:fs/promises'
import { connect as open } from 'node:net'
import { ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { packAny } from '@nsbox/api'
import { Diff } from '@nsbox/api/gen/services/diff/v1/diff_pb'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import { StreamInitSchema, Streaming } from '@nsbox/api/gen/services/streaming/v1/streaming_pb'
import { Transfer } from '@nsbox/api/gen/services/transfer/v1/transfer_pb'
import { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import { type Client, connect } from '@nsbox/client'
import { errorCode } from '@nsbox/errors'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { socketTransport } from '../testing/grpc-call.ts'
import {
  importImage,
  makeContainer,
  openTenantLab,
  type TenantLab,
  tenant,
  tenantIds,
} from '../testing/tenant-lab.ts'

const needed = { root: true, linux: true, programs: ['runc', 'busybox'] } as const

describeWith(needed, 'the socket for tenants', () => {
  let lab: TenantLab
  const resources = new AsyncDisposableStack()

  beforeAll(async () => {
    lab = resources.use(await openTenantLab('nsbox-tenants'))
  })
  afterAll(() => resources.disposeAsync())

  const as = async (uid: number, gid: number, groups: number[] = []): Promise<Client> => {
    const { address } = await lab.relay({ uid, gid, groups })
    return resources.use(connect({ address, namespace: lab.a.namespace }))
  }
  const rewrite = async (text: string) => {
    await writeFile(`${lab.accessList}.new`, text)
    await rename(`${lab.accessList}.new`, lab.accessList)
  }
  const both = () => [tenant('a', lab.a.namespace), tenant('b', lab.b.namespace)].join('\n')

  test('F04 is open to every user, and the server’s own to none', async () => {
    expect((await stat(lab.address)).mode & 0o777).toBe(0o666)
    expect((await stat(lab.server.address)).mode & 0o777).toBe(0o600)
  })

  test('lets a tenant import, unpack and run an image in its own namespace', async () => {
    const { client } = lab.a
    const chainId = await importImage(lab, lab.a)
    await makeContainer(lab.a, 'one', chainId, ['sh', '-c', 'echo written > /file; exec sleep 1000'])
    await client.tasks.create('one')
    await client.tasks.start('one')
    expect((await client.tasks.get('one')).status).toBe('running')
    const process = {
      args: ['grep', 'written', '/file'],
      cwd: '/',
      env: ['PATH=/bin'],
      noNewPrivileges: true,
    }
    await expect
      .poll(async () => {
        await client.tasks.exec('one', 'look', { spec: processOf(process) })
        await client.tasks.start('one', { execId: 'look' })
        const { exitStatus } = await client.tasks.wait('one', { execId: 'look' })
        await client.tasks.deleteProcess('one', 'look')
        return exitStatus
      })
      .toBe(0)
    await client.tasks.kill('one', 9)
    expect((await client.tasks.wait('one')).exitStatus).toBe(137)
    await client.tasks.delete('one')
    await client.containers.delete('one')
    // The container's files can be read as a layer.
    const left = await client.snapshotter().view('lower', chainId)
    const right = await client.snapshotter().mounts('one')
    expect(right).toEqual([{ type: 'nsbox.snapshot', source: 'one', options: ['snapshotter=overlayfs'] }])
    const { size } = await client.comparer.compare(left, right)
    expect(size).toBeGreaterThan(0)
    // The same over another protocol, whose calls are handled by other code.
    const json = createConnectTransport({
      baseUrl: 'http://localhost',
      httpVersion: '1.1',
      nodeOptions: { socketPath: lab.a.address },
    })
    const headers = { 'containerd-namespace': lab.a.namespace }
    const { mounts } = await createClient(Snapshots, json).mounts({ key: 'one' }, { headers })
    expect(mounts.map(({ type, source }) => [type, source])).toEqual([['nsbox.snapshot', 'one']])
    const { diff } = await createClient(Diff, json).diff({ left: [], right: mounts }, { headers })
    expect(diff?.size).toBeGreaterThan(0n)
  })

  test('F04 answers whoever is not listed that nothing is permitted, root as well', async () => {
    for (const uid of [0, 1, 65_534, 65_103]) {
      const client = await as(uid, 65_200)
      const failure = await client.version().catch((error) => error)
      expect(errorCode(failure)).toBe('permission_denied')
      expect(String(failure)).toContain(`user ${uid} is not in the access list`)
    }
  })

  test('F04 takes users by their groups, supplementary ones too', async () => {
    await rewrite(`${both()}
[[peer]]
name = "staff"
gid = 65300
namespaces.${lab.a.namespace} = ["read"]
`)
    await lab.server.reload()
    for (const client of [await as(65_104, 65_300), await as(65_105, 65_200, [1, 65_300])]) {
      expect((await client.images.list()).map(({ name }) => name)).toEqual([lab.image])
      expect(await client.images.delete(lab.image).catch(errorCode)).toBe('permission_denied')
      expect(await client.tasks.kill('one', 9).catch(errorCode)).toBe('permission_denied')
    }
    const without = await as(65_104, 65_200)
    expect(await without.images.list().catch(errorCode)).toBe('permission_denied')
  })

  test('F04 takes up what the list says from the next call on, and ends what has lost a right', async () => {
    await rewrite(both())
    await lab.server.reload()
    const { client, namespace } = lab.b
    const watching = client.tasks.list().then(() => nextOf(client.events.subscribe()))
    const other = client.withNamespace(lab.a.namespace)
    expect(await other.images.list().catch(errorCode)).toBe('permission_denied')

    const more = `${tenant('a', lab.a.namespace)}${tenant('b', namespace)}namespaces.${lab.a.namespace} = ["read"]\n`
    await rewrite(more)
    await lab.server.reload()
    expect((await other.images.list()).map(({ name }) => name)).toEqual([lab.image])

    await rewrite(both())
    await lab.server.reload()
    expect(await watching).toBe('unavailable')
    await expect.poll(() => other.images.list().catch(errorCode)).toBe('permission_denied')
    expect(await client.images.list()).toEqual([])

    await rewrite(tenant('b', namespace))
    await lab.server.reload()
    await expect.poll(() => lab.a.client.images.list().catch(errorCode)).toBe('permission_denied')
    expect(await client.images.list()).toEqual([])
  })

  test('F03 F04 lets nobody use the stream of another, though both have the namespace', async () => {
    await rewrite(`${both()}namespaces.${lab.a.namespace} = ["read", "write"]\n`)
    await lab.server.reload()
    const headers = { 'containerd-namespace': lab.a.namespace }
    const stop = new AbortController()
    const open = async (address: string, id: string) => {
      const opened = socketTransport(address)
      resources.defer(() => opened[Symbol.dispose]())
      const first = packAny(StreamInitSchema, { id })
      const requests = (async function* () {
        yield first
        await new Promise((resolve) => stop.signal.addEventListener('abort', resolve))
      })()
      const answers = createClient(Streaming, opened.transport).stream(requests, {
        headers,
        signal: stop.signal,
      })
      await answers[Symbol.asyncIterator]().next()
      return createClient(Transfer, opened.transport)
    }
    const [a, b] = [await open(lab.a.address, 'of-a'), await open(lab.b.address, 'of-b')]
    const use = async (client: typeof a, progressStream: string) => {
      const [source, destination] = ['none', 'other'].map((name) => packAny(ImageStoreSchema, { name }))
      return await client.transfer({ source, destination, options: { progressStream } }, { headers }).then(
        () => 'ok',
        (error) => ConnectError.from(error).rawMessage,
      )
    }
    expect(await use(b, 'of-a')).toBe('stream "of-a": not found')
    expect(await use(a, 'of-b')).toBe('stream "of-b": not found')
    expect(await use(a, 'of-a')).toBe('image "none": not found')
    stop.abort()
    await rewrite(both())
    await lab.server.reload()
  })

  test('E11 F04 keeps the list that it has if the new one is wrong', async () => {
    await rewrite(both())
    await lab.server.reload()
    await rewrite(both().replace('"run"', '"everything"'))
    expect(await lab.server.reload().catch(errorCode)).toBe('invalid_argument')
    expect((await lab.a.client.images.list()).length).toBe(1)
    await rewrite(both())
  })

  test('F04 one peer has a bounded number of connections, which takes none from others', async () => {
    const { address } = await lab.relay({ uid: tenantIds.a, gid: tenantIds.a })
    let refused = 0
    const sockets = Array.from({ length: 400 }, () => {
      return open(address)
        .on('error', () => {})
        .on('close', () => refused++)
    })
    await expect.poll(() => refused).toBeGreaterThanOrEqual(400 - 128)
    expect(refused).toBeLessThan(300)
    expect(await lab.b.client.images.list()).toEqual([])
    for (const socket of sockets) socket.destroy()
  })
})

const processOf = (process: object) => ({
  typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Process',
  value: new TextEncoder().encode(JSON.stringify(process)),
})

async function nextOf(events: AsyncIterable<unknown>): Promise<unknown> {
  try {
    for await (const event of events) return event
    return 'ended'
  } catch (error) {
    return errorCode(error)
  }
}
