import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Code, ConnectError, createClient, type Client as RpcClient } from '@connectrpc/connect'
import { Mounts } from '@nsbox/api/gen/services/mounts/v1/mounts_pb'
import { connect } from '@nsbox/client'
import { listMounts, mount, unmount } from '@nsbox/mount'
import { run, runOrThrow, scratchMount, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Server } from '../server.ts'
import { startServer } from '../start.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { specOf } from '../testing/tenant-lab.ts'

const needed = { root: true, linux: true, programs: ['runc', 'busybox', 'mkfs.ext4', 'losetup'] } as const
const codeOf = (call: Promise<unknown>): Promise<Code | 'ok'> =>
  call.then(
    () => 'ok' as const,
    (error) => ConnectError.from(error).code,
  )

describeWith(needed, 'mounts', () => {
  let resources: AsyncDisposableStack
  let path: string
  let state: string
  let image: string
  let server: Server
  let mounts: RpcClient<typeof Mounts>
  let headers: Record<string, string>

  const start = () => startServer({ root: join(path, 'root'), state, durability: 'relaxed' })
  const dial = () => {
    mounts = createClient(Mounts, resources.use(socketTransport(server.address)).transport)
  }
  const restart = async () => {
    await server[Symbol.asyncDispose]()
    server = await start()
    dial()
  }
  const call = () => ({ headers })
  const made = async () => await listMounts({ under: join(state, 'mounts') })
  const devices = async () => (await run('losetup', ['--associated', image])).stdout
  /** A file system on a loop device, and an overlay that writes to it. */
  const layered = () => [
    { type: 'loop', source: image, options: [] },
    { type: 'format/ext4', source: '{{ mount 0 }}', options: [] },
    {
      type: 'format/mkdir/overlay',
      source: 'overlay',
      options: [
        ...['upper', 'work'].map((name) => `X-containerd.mkdir.path={{ mount 1 }}/${name}:0755`),
        `lowerdir=${path}/low`,
        ...['upperdir={{ mount 1 }}/upper', 'workdir={{ mount 1 }}/work'],
      ],
    },
  ]

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    path = resources.use(await scratchMount()).path
    state = join(resources.use(await tempDir('nsbox-mounts')).path, 'state')
    for (const name of ['low', 'low/bin', 'place']) await mkdir(join(path, name))
    await runOrThrow('cp', ['/bin/busybox', join(path, 'low/bin/busybox')])
    await runOrThrow('cp', ['/bin/busybox', join(path, 'low/bin/sh')])
    image = join(path, 'image')
    await runOrThrow('truncate', ['--size=16M', image])
    await runOrThrow('mkfs.ext4', ['-q', image])
    headers = { 'containerd-namespace': 'n' }
    server = await start()
    resources.defer(() => server[Symbol.asyncDispose]())
    dial()
  })
  afterEach(() => resources.disposeAsync())

  test('are made under a name, used, and ended, over a restart of the server', async () => {
    const labels = { a: '1' }
    const { info } = await mounts.activate({ name: 'x/y', mounts: layered(), labels }, call())
    expect(info).toMatchObject({ name: 'x/y', labels, active: [{ mount: { type: 'loop' } }, {}] })
    expect(info!.active[1]!.mountedAt).toBeDefined()
    expect(info!.system).toMatchObject([{ type: 'overlay' }])
    expect(await codeOf(mounts.activate({ name: 'x/y', mounts: layered() }, call()))).toBe(Code.AlreadyExists)
    const [overlay] = info!.system
    const place = join(path, 'place')
    await mount({ type: overlay!.type, source: overlay!.source, options: overlay!.options }, place)
    await writeFile(join(place, 'written'), 'kept')
    expect(await codeOf(mounts.deactivate({ name: 'x/y' }, call()))).toBe('ok')
    await restart()
    await unmount(place)
    await expect.poll(devices).toBe('')
    await mounts.activate({ name: 'x/y', mounts: layered() }, call())
    await restart()
    expect(await made()).toHaveLength(1)
    const again = (await mounts.info({ name: 'x/y' }, call())).info!
    await mount({ ...again.system[0]! }, place)
    expect(await readFile(join(place, 'written'), 'utf8')).toBe('kept')
    await unmount(place)
    await mounts.deactivate({ name: 'x/y' }, call())
    expect(await codeOf(mounts.info({ name: 'x/y' }, call()))).toBe(Code.NotFound)
    expect(await made()).toEqual([])
    await expect.poll(devices).toBe('')
  })

  test('are all made for a while, if that is asked for', async () => {
    const bind = { type: 'bind', source: join(path, 'low'), options: ['rbind', 'ro'] }
    const { info } = await mounts.activate({ name: 'x', mounts: [bind], temporary: true }, call())
    expect(info!.system).toMatchObject([{ type: 'bind', source: info!.active[0]!.mountPoint }])
    await mounts.deactivate({ name: 'x' }, call())
  })

  test('are listed and labelled in their namespace', async () => {
    const listed = async (...filters: string[]) => {
      const names: string[] = []
      for await (const { info } of mounts.list({ filters }, call())) names.push(info!.name)
      return names
    }
    for (const name of ['b', 'a']) {
      const bind = { type: 'bind', source: join(path, 'low'), options: ['rbind', 'ro'] }
      await mounts.activate({ name, mounts: [bind], temporary: true, labels: { of: name } }, call())
    }
    expect(await listed()).toEqual(['a', 'b'])
    expect(await listed('name==a')).toEqual(['a'])
    expect(await listed('labels.of==b')).toEqual(['b'])
    const update = async (labels: Record<string, string>, ...paths: string[]) =>
      (await mounts.update({ info: { name: 'a', labels }, updateMask: { paths } }, call())).info!.labels
    expect(await update({ x: '1', y: '2' }, 'labels.x')).toEqual({ of: 'a', x: '1' })
    expect(await update({ z: '3' })).toEqual({ z: '3' })
    expect(await codeOf(update({}, 'system'))).toBe(Code.InvalidArgument)
    await restart()
    expect((await mounts.info({ name: 'a' }, call())).info!.labels).toEqual({ z: '3' })
    headers = { 'containerd-namespace': 'other' }
    expect(await listed()).toEqual([])
    expect(await codeOf(mounts.deactivate({ name: 'a' }, call()))).toBe(Code.NotFound)
    headers = { 'containerd-namespace': 'n' }
    for (const name of ['a', 'b']) await mounts.deactivate({ name }, call())
  })

  test('are refused where there is nothing to do, without a name, and where one is amiss', async () => {
    const bind = { type: 'bind', source: join(path, 'low'), options: ['rbind'] }
    expect(await codeOf(mounts.activate({ name: 'x', mounts: [bind] }, call()))).toBe(Code.Unimplemented)
    expect(await codeOf(mounts.activate({ name: 'x' }, call()))).toBe(Code.Unimplemented)
    expect(await codeOf(mounts.activate({ mounts: layered() }, call()))).toBe(Code.InvalidArgument)
    const mkfs = [{ type: 'mkfs/loop', source: image, options: [] }]
    expect(await codeOf(mounts.activate({ name: 'x', mounts: mkfs }, call()))).toBe(Code.Unimplemented)
    const amiss = [...layered().slice(0, 2), { type: 'format/overlay', options: ['lowerdir={{ mount 7 }}'] }]
    expect(await codeOf(mounts.activate({ name: 'x', mounts: amiss }, call()))).toBe(Code.InvalidArgument)
    expect(await made()).toEqual([])
    await expect.poll(devices).toBe('')
  })

  describe('of a task', () => {
    const runc = { name: 'io.containerd.runc.v2' }
    /** Runs a program in a root filesystem, and gives its exit status. */
    const runIn = async (rootfs: ReturnType<typeof layered>, script: string, whileThere = async () => {}) => {
      await using client = connect({ address: server.address, namespace: 'n' })
      const spec = specOf('n', 'c', ['/bin/sh', '-c', script])
      await client.containers.create({ id: 'c', runtime: runc, spec })
      await client.tasks.create('c', { rootfs })
      await client.tasks.start('c')
      const { exitStatus } = await client.tasks.wait('c')
      await whileThere()
      await client.tasks.delete('c')
      await client.containers.delete('c')
      return exitStatus
    }

    test('are made before it and end with it', async () => {
      const script = 'if [ -e /written ]; then exit 7; fi; echo > /written'
      const thereMeanwhile = async () => {
        expect(await made()).toHaveLength(1)
        expect(await devices()).toContain(image)
      }
      expect(await runIn(layered(), script, thereMeanwhile)).toBe(0)
      expect(await made()).toEqual([])
      await expect.poll(devices).toBe('')
      expect(await runIn(layered(), script)).toBe(7)
    })

    test('may have a file system of a file by the option `loop`', async () => {
      const place = join(path, 'place')
      await mount({ type: 'ext4', source: image, options: ['loop'] }, place)
      await runOrThrow('cp', ['-r', join(path, 'low/bin'), place])
      await unmount(place)
      const rootfs = [{ type: 'ext4', source: image, options: ['loop'] }]
      expect(await runIn(rootfs, 'exit 3')).toBe(3)
      expect(await made()).toEqual([])
      await expect.poll(devices).toBe('')
    })

    test('are left alone, and not left over, by a task that is made again', async () => {
      await using client = connect({ address: server.address, namespace: 'n' })
      const spec = specOf('n', 'c', ['/bin/sh'])
      await client.containers.create({ id: 'c', runtime: runc, spec })
      const plain = [{ type: 'bind', source: join(path, 'low'), options: ['rbind', 'rw'] }]
      const exists = { code: 'already_exists' }
      const kinds = [
        { first: plain, second: layered(), count: 0 },
        { first: layered(), second: plain, count: 1 },
        { first: layered(), second: layered(), count: 1 },
      ]
      for (const { first, second, count } of kinds) {
        await client.tasks.create('c', { rootfs: first })
        await expect(client.tasks.create('c', { rootfs: second })).rejects.toMatchObject(exists)
        expect(await made()).toHaveLength(count)
        await client.tasks.kill('c', 9)
        await client.tasks.wait('c')
        await client.tasks.delete('c')
        expect(await made()).toEqual([])
      }
      await expect.poll(devices).toBe('')
    }, 60_000)

    test('end with a task that cannot be made', async () => {
      await using client = connect({ address: server.address, namespace: 'n' })
      const spec = {
        typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
        value: Buffer.from('{}'),
      }
      await client.containers.create({ id: 'c', runtime: runc, spec })
      await expect(client.tasks.create('c', { rootfs: layered() })).rejects.toThrow()
      expect(await made()).toEqual([])
      await expect.poll(devices).toBe('')
    })

    test('stay with it over a restart of the server', async () => {
      {
        await using client = connect({ address: server.address, namespace: 'n' })
        await client.containers.create({ id: 'c', runtime: runc, spec: specOf('n', 'c', ['/bin/sh']) })
        await client.tasks.create('c', { rootfs: layered() })
      }
      await restart()
      expect(await made()).toHaveLength(1)
      await using client = connect({ address: server.address, namespace: 'n' })
      expect((await client.tasks.get('c')).status).toBe('created')
      await client.tasks.kill('c', 9)
      await client.tasks.wait('c')
      await client.tasks.delete('c')
      expect(await made()).toEqual([])
      await expect.poll(devices).toBe('')
    }, 60_000)
  })
})
