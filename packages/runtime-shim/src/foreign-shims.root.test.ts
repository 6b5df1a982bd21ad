import { once } from 'node:events'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, createClient } from '@connectrpc/connect'
import { Task } from '@nsbox/api/gen/runtime/task/v2/shim_pb'
import { containerSpec, tasksOfRuntime } from '@nsbox/compliance/tasks'
import { errorCode } from '@nsbox/errors'
import { describeWith } from '@nsbox/testing/describe-with'
import { connectTtrpc, createTtrpcServer, implementService } from '@nsbox/ttrpc'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseBootstrap } from './shim/bootstrap.ts'
import { openShimLab, runcShim, type ShimLab } from './testing/shim-lab.ts'

const code = (operation: Promise<unknown>) => operation.then(() => 'success', errorCode)
const id = `foreign-${process.pid}`

describeWith({ root: true, linux: true, programs: [runcShim, 'runc', 'busybox'] }, 'a shim of others', () => {
  let resources: AsyncDisposableStack
  let lab: ShimLab
  let programs: string
  const spec = containerSpec(id, { args: ['sleep', '1000'] })

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    lab = resources.use(await openShimLab('/nonexistent:/tmp/nsbox-no-such'))
    programs = join(lab.directory, 'programs')
    await mkdir(programs)
  })
  afterEach(async () => {
    await lab.runtime.endAll()
    expect(await readdir(join(lab.directory, 'bundles')).catch(() => [])).toEqual([])
    await resources.disposeAsync()
  })

  /** A program with `$action`, `$bundle` and `real`, which runs Debian's shim. */
  const shim = async (name: string, script: string): Promise<string> => {
    const path = join(programs, name)
    const head = `#!/bin/sh\nfor action; do :; done\nbundle=$PWD\nreal() { ${runcShim} "$@"; }\n`
    await writeFile(path, `${head}${script}\n`, { mode: 0o755 })
    return path
  }
  const tasks = () => lab.runtime.namespace('foreign')
  const create = (runtimeName: string, options = {}) =>
    tasks().create(id, { runtimeName, spec, rootfs: lab.rootfs, ...options })

  test('is found by its name, in the search path, and what it logs is read', async () => {
    await shim('containerd-shim-wrapped-v9', 'printf "level=warning msg=%s\\n" "$action" > log; real "$@"')
    await using named = await openShimLab(`/nonexistent:${programs}`)
    const { newContainer, tasks } = tasksOfRuntime(
      named.runtime.namespace('named'),
      'io.containerd.wrapped.v9',
    )
    await newContainer(id, spec)
    await tasks.create(id, { rootfs: named.rootfs })
    await tasks.delete(id)
    expect(named.logged).toContain(`named/${id} level=warning msg=start`)
  })

  test('of a name or path that leads nowhere is refused', async () => {
    const codes = {
      '': 'invalid_argument',
      nonesuch: 'invalid_argument',
      '.runc.v2': 'invalid_argument',
      'a/b.c.v1': 'invalid_argument',
      'io.containerd..': 'invalid_argument',
      'io.containerd.nonesuch.v1': 'not_found',
      '/nonexistent/shim': 'not_found',
      [programs]: 'not_found',
    }
    for (const [name, expected] of Object.entries(codes))
      expect(await code(create(name)), name).toBe(expected)
  })

  test('D15 is not run if everyone may write to it or its directory', async () => {
    const open = await shim('open', 'real "$@"')
    await chmod(open, 0o777)
    await mkdir(join(programs, 'everyones'))
    const inside = await shim('everyones/shim', 'real "$@"')
    await chmod(join(programs, 'everyones'), 0o1777)
    for (const name of [open, inside]) expect(await code(create(name))).toBe('failed_precondition')
  })

  test('that fails, says nothing or nonsense, or too much, leaves nothing', async () => {
    const failures = {
      fails: ['echo no way >&2; exit 3', 'unknown', 'no way'],
      silent: ['exit 0', 'unavailable', 'no address'],
      nonsense: ['echo some words', 'unavailable', ''],
      relative: ['echo unix://relative', 'unavailable', 'no address'],
      old: ['echo \'{"version":1,"address":"unix:///x","protocol":"ttrpc"}\'', 'unimplemented', 'version 1'],
      other: ['echo \'{"version":3,"address":"unix:///x","protocol":"grpc"}\'', 'unimplemented', 'grpc'],
      gone: ['echo unix:///nonexistent/socket', 'unavailable', ''],
      floods: ['yes', 'resource_exhausted', ''],
    } as const
    for (const [name, [script, expected, words]] of Object.entries(failures)) {
      const path = await shim(name, `if [ "$action" = start ]; then ${script}; else real "$@"; fi`)
      const error = await create(path).then(
        () => undefined,
        (failure: unknown) => failure,
      )
      expect([name, errorCode(error)]).toEqual([name, expected])
      expect(String(error)).toContain(words)
      expect(tasks().has(id)).toBe(false)
      expect(await readdir(join(lab.directory, 'bundles'))).toEqual([])
    }
  })

  test('E02 gets no mount that could lead through the root filesystem, which it mounts itself', async () => {
    for (const source of ['rootfs/link', '.', join(lab.directory, 'bundles/foreign', id, 'rootfs/link')]) {
      const object = JSON.parse(Buffer.from(spec.value).toString())
      object.mounts.push({ destination: '/m', type: 'bind', source, options: ['rbind', 'rw'] })
      const odd = { ...spec, value: Buffer.from(JSON.stringify(object)) }
      expect(await code(create(runcShim, { spec: odd }))).toBe('invalid_argument')
    }
  })

  for (const how of ['lost', 'given up'] as const)
    test(`that is ${how} when the server ends is cleaned up after before the next one starts`, async () => {
      const slow = 'if [ "$action" = delete ]; then touch ../../../begun; sleep 1; fi; real "$@"'
      const hangs = 'if [ "$action" = start ]; then touch ../../../hangs; exec sleep 1000; fi'
      const exists = (name: string) => expect.poll(() => readdir(lab.directory)).toContain(name)
      if (how === 'lost') {
        const { pid } = await create(await shim('slow', slow))
        const status = await readFile(`/proc/${pid}/status`, 'utf8')
        process.kill(Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]), 'SIGKILL')
      } else {
        const stop = new AbortController()
        const creating = code(create(await shim('slow', `${hangs}; ${slow}`), { signal: stop.signal }))
        await exists('hangs')
        stop.abort()
        void creating
      }
      await exists('begun')
      await lab.restart(async () => {
        expect(await readdir(join(lab.directory, 'bundles'))).toEqual([])
      })
      expect(await code(tasks().get(id))).toBe('not_found')
    })

  test('may speak version 3, and say so in JSON', async () => {
    const path = join(lab.directory, 'v3')
    const printed = JSON.stringify({ version: 3, address: `unix://${path}`, protocol: 'ttrpc' })
    const name = await shim(
      'v3',
      `if [ "$action" = start ]; then real "$@" > real && echo '${printed}'; else real "$@"; fi`,
    )
    let called: Promise<Client<typeof Task>> | undefined
    const real = async () => {
      called ??= (async () => {
        const address = await readFile(join(lab.directory, 'bundles/foreign', id, 'real'), 'utf8')
        const connection = resources.use(await connectTtrpc(parseBootstrap(address).path))
        return createClient(Task, connection.transport)
      })()
      return await called
    }
    const implementation = Object.fromEntries(
      Task.methods.map(({ localName }) => [
        localName,
        async (request: never) => await (await real())[localName as 'state'](request),
      ]),
    )
    const service = { ...implementService(Task, implementation), name: 'containerd.task.v3.Task' }
    const { server } = resources.use(createTtrpcServer([service]))
    server.listen(path)
    await once(server, 'listening')
    const { pid } = await create(name)
    await tasks().start(id)
    expect(await tasks().get(id)).toMatchObject({ pid, status: 'running' })
    await tasks().kill(id, 9)
    expect((await tasks().wait(id)).exitStatus).toBe(137)
    await tasks().delete(id)
  })

  test('is shared by the containers of a sandbox, and ends with the sandbox', async () => {
    const parent = async (pid: number) =>
      /^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
    const { pid } = await create(runcShim)
    const other = `${id}-other`
    const member = { spec: containerSpec(other, { args: ['sleep', '1000'] }), rootfs: lab.rootfs }
    const made = await tasks().create(other, { runtimeName: runcShim, sandbox: id, ...member })
    expect(await parent(made.pid)).toBe(await parent(pid))
    await lab.restart()
    expect((await tasks().list()).map(({ containerId }) => containerId)).toEqual([id, other])
    await tasks().delete(other)
    expect(await tasks().get(id)).toMatchObject({ pid, status: 'created' })
  })
})
