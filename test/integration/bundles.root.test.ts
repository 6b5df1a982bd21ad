import { lstat, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import { containerSpec } from '@nsbox/compliance/tasks'
import { busyboxRootfs, type RootfsMount, removeCgroup, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

const namespace = 'bundles'

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'the bundle of a task', () => {
  let resources: AsyncDisposableStack
  let server: TestServer
  let client: Client
  let rootfs: RootfsMount[]
  const bundle = (id: string) => join(server.state, 'io.containerd.runtime.v2.task', namespace, id)

  beforeAll(async () => {
    resources = new AsyncDisposableStack()
    const directory = resources.use(await tempDir('nsbox-in-bundles')).path
    resources.defer(() => removeCgroup(namespace))
    rootfs = await busyboxRootfs(join(directory, 'rootfs'))
    server = resources.use(await startServer())
    client = resources.use(connect({ address: server.address, namespace }))
  })
  afterEach(async () => {
    for (const { containerId } of await client.tasks.list()) {
      await client.tasks.kill(containerId, 9)
      await client.tasks.wait(containerId)
      await client.tasks.delete(containerId)
    }
    for await (const { id } of client.containers.list()) await client.containers.delete(id)
  })
  afterAll(() => resources.disposeAsync())

  /** @param hook what a shell does before the container's process starts */
  const start = async (id: string, hook: string) => {
    const spec = containerSpec(id, { args: ['sleep', '1000'] })
    const hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', hook] }] }
    const value = JSON.stringify({ ...JSON.parse(new TextDecoder().decode(spec.value)), hooks })
    await client.containers.create({
      id,
      spec: { ...spec, value: Buffer.from(value) },
      runtime: { name: 'io.containerd.runc.v2' },
    })
    const { pid } = await client.tasks.create(id, { rootfs })
    await client.tasks.start(id)
    return pid
  }

  test('is where programs look for one of containerd, until the task is deleted', async () => {
    const pid = await start('looked', 'exit 0')
    expect(await readFile(join(bundle('looked'), 'init.pid'), 'utf8')).toBe(String(pid))
    const config = JSON.parse(await readFile(join(bundle('looked'), 'config.json'), 'utf8'))
    expect(config.process.args).toEqual(['sleep', '1000'])
    expect((await lstat(join(bundle('looked'), 'rootfs/bin/busybox'))).isFile()).toBe(true)
    await client.tasks.kill('looked', 9)
    await client.tasks.wait('looked')
    await client.tasks.delete('looked')
    await expect(lstat(bundle('looked'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('has a log, which hooks write to and the server tells, also after it was killed', async () => {
    await start('telling', 'echo level=warning of a hook >log')
    await expect.poll(() => server.process.output).toMatch(/"level":40,.*of a hook/)
    await server.kill()
    await server.restart()
    await writeFile(join(bundle('telling'), 'log'), 'said after the restart\n')
    await expect.poll(() => server.process.output).toMatch(/"level":30,.*said after the restart/)
  })
})
