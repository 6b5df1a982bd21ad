import { copyFile, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import { containerSpec, processSpec } from '@nsbox/compliance/tasks'
import { busyboxRootfs, type RootfsMount, removeCgroup, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { processesWith, startServer, type TestServer } from './programs.ts'

const shim = '/usr/bin/containerd-shim-runc-v2'
const namespace = 'shims'

describeWith(
  { root: true, linux: true, programs: [shim, '/usr/bin/ctr', 'runc', 'busybox'] },
  'a server with shims',
  () => {
    let resources: AsyncDisposableStack
    let server: TestServer
    let client: Client
    let directory: string
    let rootfs: RootfsMount[]

    beforeAll(async () => {
      resources = new AsyncDisposableStack()
      directory = resources.use(await tempDir('nsbox-shims')).path
      resources.defer(() => removeCgroup(namespace))
      rootfs = await busyboxRootfs(join(directory, 'rootfs'))
      server = resources.use(await startServer())
      client = resources.use(connect({ address: server.address, namespace }))
    })
    afterEach(async () => {
      for (const { containerId } of await client.tasks.list()) {
        await client.tasks.kill(containerId, 9, { all: true })
        await client.tasks.wait(containerId)
        await client.tasks.delete(containerId)
      }
      for await (const { id } of client.containers.list()) await client.containers.delete(id)
      await expect.poll(() => processesWith(`\0-address\0${server.address}`)).toEqual([])
    })
    afterAll(() => resources.disposeAsync())

    const ctr = (...args: string[]) => server.stockCtr(['-n', namespace, ...args])
    /** A container of stock `ctr` whose program is given. */
    const run = (runtime: string, id: string, ...command: string[]) =>
      ctr('run', '--rm', '--runtime', runtime, '--rootfs', join(directory, 'rootfs'), id, ...command)
    const start = async (id: string, name = shim) => {
      const spec = containerSpec(id, { args: ['sleep', '1000'] })
      await client.containers.create({ id, spec, runtime: { name } })
      const { pid } = await client.tasks.create(id, { rootfs })
      await client.tasks.start(id)
      return pid
    }
    const bundles = ({ state }: TestServer) => join(state, 'io.containerd.runtime.v2.task', namespace)
    const parentOf = async (pid: number) =>
      Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1])

    test('runs a container of stock ctr, with its output and exit status', async () => {
      expect(await run(shim, 'one', '/bin/sh', '-c', 'echo hello; exit 7')).toMatchObject({
        code: 7,
        stdout: 'hello\n',
      })
    })

    test('refuses a runtime that is not there, and leaves nothing', async () => {
      const { code, stderr } = await run('io.containerd.nonesuch.v1', 'two', '/bin/true')
      expect(code).toBe(1)
      expect(stderr).toContain('"containerd-shim-nonesuch-v1"')
      expect(await client.tasks.list()).toEqual([])
    })

    test('has tasks of runc and of shims beside each other', async () => {
      const pids = { a: await start('a'), b: await start('b', 'io.containerd.runc.v2'), c: await start('c') }
      const listed = await client.tasks.list()
      expect(listed.map(({ containerId, pid }) => [containerId, pid])).toEqual(Object.entries(pids))
      expect((await client.tasks.metrics()).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
      const { stdout } = await ctr('tasks', 'exec', '--exec-id', 'x', 'a', '/bin/echo', 'inside')
      expect(stdout).toBe('inside\n')
      // Its name has changed, and its task has not.
      await expect(client.tasks.create('b', { rootfs })).rejects.toMatchObject({ code: 'already_exists' })
    })

    test('finds them again after it was killed, and tells what happened meanwhile', async () => {
      const pid = await start('there')
      const ending = await start('ending')
      const lost = await start('lost')
      const beside = await start('beside', 'io.containerd.runc.v2')
      const shims = { there: await parentOf(pid), lost: await parentOf(lost) }
      await server.kill()
      process.kill(ending, 'SIGKILL')
      process.kill(shims.lost, 'SIGKILL')
      await server.restart()
      const stop = new AbortController()
      const exits = new Map<string, number>()
      const subscribed = (async () => {
        const filters = ['topic=="/tasks/exit"']
        for await (const { event } of client.events.subscribe(filters, { signal: stop.signal }))
          if ('payload' in event && event.topic === '/tasks/exit')
            exits.set(event.payload.id, event.payload.exitStatus)
      })().catch((error: unknown) => {
        if (!stop.signal.aborted) throw error
      })
      const { stdout } = await ctr('tasks', 'ls')
      expect(stdout).toMatch(/^beside +\d+ +RUNNING\s+ending +\d+ +STOPPED\s+there +\d+ +RUNNING$/m)
      expect(await client.tasks.get('beside')).toMatchObject({ pid: beside, status: 'running' })
      expect(await client.tasks.get('there')).toMatchObject({ pid, status: 'running' })
      expect(await parentOf(pid)).toBe(shims.there)
      expect((await client.tasks.wait('ending')).exitStatus).toBe(137)
      await expect(client.tasks.get('lost')).rejects.toMatchObject({ code: 'not_found' })
      await expect.poll(() => Object.fromEntries(exits)).toEqual({ ending: 137, lost: 137 })
      await expect.poll(() => processesWith(`-id\0lost\0`)).toEqual([])
      stop.abort()
      await subscribed
    })

    test('runs a task by the shim that its path names, in place of its runtime', async () => {
      const copy = join(directory, 'a-shim')
      const told = join(bundles(server), 'path/shim-binary-path')
      const spec = containerSpec('path', { args: ['sleep', '1000'] })
      await client.containers.create({ id: 'path', spec, runtime: { name: 'io.containerd.runc.v2' } })
      // A task without a shim tells of one for its runtime.
      await client.tasks.create('path', { rootfs })
      await copyFile(await readFile(told, 'utf8'), copy)
      await client.tasks.delete('path')
      const { pid } = await client.tasks.create('path', { rootfs, runtimePath: copy })
      expect(await readlink(`/proc/${await parentOf(pid)}/exe`)).toBe(copy)
      expect(await readFile(told, 'utf8')).toBe(copy)
    })

    test('runs what is of runc by a shim, where it is told one, and goes on with its log', async () => {
      await using told = await startServer({ args: ['--runtime-shim', 'io.containerd.runc.v2'] })
      await using other = connect({ address: told.address, namespace })
      const args = ['-n', namespace, 'run', '-d', '--rootfs', join(directory, 'rootfs'), 'told']
      expect(await told.stockCtr([...args, '/bin/sleep', '1000'])).toMatchObject({ code: 0, stderr: '' })
      const { pid } = await other.tasks.get('told')
      expect(await readlink(`/proc/${await parentOf(pid)}/exe`)).toBe(shim)
      await told.kill()
      await told.restart()
      expect(await other.tasks.get('told')).toMatchObject({ pid, status: 'running' })
      await other.tasks.exec('told', 'x', { spec: processSpec({ args: ['sh', '-c', 'exit 5'] }) })
      await other.tasks.start('told', { execId: 'x' })
      expect((await other.tasks.wait('told', { execId: 'x' })).exitStatus).toBe(5)
      await other.tasks.deleteProcess('told', 'x')
      await writeFile(join(bundles(told), 'told/log'), 'said after the restart\n')
      await expect.poll(() => told.process.output).toContain('said after the restart')
      await other.tasks.kill('told', 9)
      expect((await other.tasks.wait('told')).exitStatus).toBe(137)
      await other.tasks.delete('told')
      expect(await told.supervisors()).toEqual([])
      await expect.poll(() => processesWith(`\0-address\0${told.address}`)).toEqual([])
    })

    test('goes on with what an older task holds when it is asked to end', async () => {
      const pid = await start('kept')
      await server.stop()
      await server.restart()
      expect(await client.tasks.get('kept')).toMatchObject({ pid, status: 'running' })
    })
  },
)
