import { mkdir, readdir, readFile, readlink, realpath, writeFile } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { json } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, connect, type ForkOptions, type TaskHandle } from '@nsbox/client'
import { startContainerd, watchLeaks } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { ofProvedRunc, startServer } from './programs.ts'

/** A server of HTTP on a socket in its root filesystem, which counts and keeps what it is told in a file. */
const web = `
  const fs = require('fs'), http = require('http'), os = require('os')
  let count = 0
  fs.mkdirSync('/srv', { recursive: true })
  http.createServer((request, response) => {
    if (request.url !== '/') fs.writeFileSync('/srv/said', request.url)
    const said = fs.existsSync('/srv/said') ? fs.readFileSync('/srv/said', 'utf8') : ''
    response.end(JSON.stringify({ count: ++count, hostname: os.hostname(), said }))
  }).listen('/srv/http.sock')
`

/** The same, and a connection to itself. */
const connected = `
  ${web}
  const net = require('net')
  net.createServer((socket) => socket.resume()).listen(8080, '127.0.0.1', () => {
    net.connect({ port: 8080, localPort: 9090, host: '127.0.0.1' })
  })
`

interface Answer {
  readonly count: number
  readonly hostname: string
  readonly said: string
}

const programs = ['containerd', 'ctr', 'runc', 'criu', 'busybox']

/** A filter of system calls that denies io_uring, which newer Nodes use where they may, and CRIU does not know. */
const withoutIoUring = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['io_uring_setup'], action: 'SCMP_ACT_ERRNO' }],
}

describeWith({ root: true, linux: true, programs }, 'a fork', () => {
  const kinds = ['nsbox-server', 'containerd'] as const
  const resources = new AsyncDisposableStack()
  const labs: Partial<Record<(typeof kinds)[number], Lab>> = {}

  interface Lab extends Pick<ContainerLab, 'ctr' | 'stock' | 'leftovers' | 'image' | 'fifos' | 'directory'> {
    readonly client: Client
    /** Looks, and gives what tells what has been added since. */
    watch(): Promise<() => Promise<string[]>>
  }

  beforeAll(async () => {
    const server = resources.use(await startServer())
    const containerd = resources.use(await startContainerd())
    for (const kind of kinds) {
      const { address } = kind === 'containerd' ? containerd : server
      const lab = resources.use(await openContainerLab(address, `fork-${kind}`))
      const client = resources.use(connect({ address, namespace: lab.namespace }))
      const scope = kind === 'containerd' ? [] : [server.state]
      const processes = async () =>
        kind === 'containerd'
          ? ({} as Record<string, number>)
          : Object.fromEntries([
              ['daemon', server.process.pid],
              ...(await server.supervisors()).map((pid, n) => [`supervisor ${n + 1}`, pid]),
            ])
      labs[kind] = {
        ...lab,
        client,
        watch: async () => {
          const directories = [...scope, lab.fifos, lab.directory]
          const watch = await watchLeaks({
            directories,
            lasting: ofProvedRunc,
            processes,
            cgroups: [lab.namespace],
          })
          return async () => {
            for (const deadline = Date.now() + 30_000; ; await delay(50)) {
              // runc keeps a mark of its own of what was ever dumped.
              const added = (await watch.leaks(0)).filter((line) => !line.endsWith('/box/checkpoint'))
              if (added.length === 0 || Date.now() > deadline) return added
            }
          }
        },
      }
    }
  })

  afterAll(() => resources.disposeAsync())

  describe.each(kinds)('by %s', (kind) => {
    let lab: Lab
    let images: string
    let filter: string
    beforeAll(async () => {
      lab = labs[kind]!
      images = join(lab.directory, 'images')
      await mkdir(images)
      filter = join(lab.directory, 'filter.json')
      await writeFile(filter, JSON.stringify(withoutIoUring))
    })

    const fork = (id: string, options: ForkOptions = {}) =>
      lab.client.container(id).fork({ directory: images, ...options })

    afterEach(async () => {
      for (const { containerId } of await lab.client.tasks.list()) await remove(containerId)
      for await (const { id } of lab.client.containers.list()) await lab.stock(['containers', 'rm', id])
      expect(await settled()).toEqual([])
      expect(await readdir(images)).toEqual([])
    })

    /** What is left after a collection. */
    async function settled(): Promise<string[]> {
      const { leases } = lab.client
      await leases.delete((await leases.create()).id, { sync: true })
      const left = await lab.leftovers()
      for await (const { name } of lab.client.snapshotter().list())
        if (name.startsWith('fork-')) left.push(`snapshot ${name}`)
      return left
    }

    async function remove(id: string): Promise<void> {
      const { tasks } = lab.client
      const { status } = await tasks.get(id)
      if (status === 'paused') await tasks.resume(id)
      await tasks.kill(id, 9, { all: true })
      await tasks.wait(id)
      await tasks.delete(id)
      await lab.stock(['containers', 'rm', id])
    }

    /** Runs a program of Node, with the host's Node and what that needs. */
    async function runNode(id: string, program: string, flags: readonly string[] = []): Promise<void> {
      // CRIU does not follow links to what it mounts.
      const libraries = await Promise.all(
        ['/usr', '/lib', '/lib64'].map(async (path) => [await realpath(path), path]),
      )
      const mounts = [...libraries, [process.execPath, '/node']]
      const { code, stderr } = await lab.stock([
        ...['run', '-d', '--null-io', '--seccomp', '--seccomp-profile', filter, ...flags],
        ...mounts.flatMap(([from, to]) => ['--mount', `type=bind,src=${from},dst=${to},options=bind:ro`]),
        ...[lab.image, id, '/node', '-e', program],
      ])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      await ask(await pidOf(id))
    }

    const pidOf = async (id: string) => (await lab.client.tasks.get(id)).pid

    /** Asks a server in a container, which may be about to listen, and waits until it has closed the connection. */
    async function ask(pid: number, path = '/'): Promise<Answer> {
      let given: Answer | undefined
      await expect
        .poll(async () => (given = await answer(`/proc/${pid}/root/srv/http.sock`, path)))
        .toBeDefined()
      await expect.poll(() => foreignSockets(pid)).toBe(0)
      return given!
    }

    const statuses = async () =>
      Object.fromEntries(
        (await lab.client.tasks.list()).map(({ containerId, status }) => [containerId, status]),
      )

    it('copies go on from where the container is, each by itself', async () => {
      await runNode('box', web)
      const pid = await pidOf('box')
      const { count } = await ask(pid, '/before')
      const copies = await fork('box', { count: 3 })
      expect(copies.map(({ containerId }) => containerId)).toEqual(['box-1', 'box-2', 'box-3'])
      expect(await ask(copies[0]!.pid, '/first')).toMatchObject({ count: count + 1, said: '/first' })
      expect(await ask(copies[1]!.pid)).toMatchObject({ count: count + 1, said: '/before' })
      expect(await ask(copies[1]!.pid, '/second')).toMatchObject({ count: count + 2, said: '/second' })
      expect(await ask(copies[2]!.pid)).toMatchObject({ count: count + 1, said: '/before' })
      expect(await ask(pid)).toMatchObject({ count: count + 1, said: '/before' })
      for (const { containerId, pid } of copies) {
        expect(await readFile(`/proc/${pid}/cgroup`, 'utf8')).toContain(
          `/${lab.client.namespace}/${containerId}\n`,
        )
        const { image, snapshotKey } = await lab.client.containers.get(containerId)
        expect({ image, snapshotKey }).toEqual({ image: lab.image, snapshotKey: containerId })
      }
      const names = await Promise.all(copies.map(async (copy) => (await ask(copy.pid)).hostname))
      const box = (await ask(pid)).hostname
      // In containerd's, the network of a copy cannot reach itself.
      if (kind === 'nsbox-server')
        expect(await readFile(`/proc/${copies[0]!.pid}/net/fib_trie`, 'utf8')).toContain('127.0.0.1')
      // containerd leaves them the name of the container.
      expect(names).toEqual(kind === 'containerd' ? [box, box, box] : ['box-1', 'box-2', 'box-3'])
    })

    it('an open TCP connection is named, and the container goes on', async () => {
      await runNode('box', connected)
      const pid = await pidOf('box')
      const watch = await lab.watch()
      await expect(fork('box')).rejects.toMatchObject({
        code: 'failed_precondition',
        message: expect.stringMatching(
          `open TCP connections cannot be copied: .*127.0.0.1:9090 to 127.0.0.1:8080 of process ${pid}`,
        ),
      })
      expect(await statuses()).toEqual({ box: 'running' })
      const { count } = await ask(pid)
      expect(await ask(pid)).toMatchObject({ count: count + 1 })
      expect(await watch()).toEqual([])
    })

    it('if a copy cannot be made, none is, and the error names it', async () => {
      await runNode('box', web)
      const forkBox = (options: ForkOptions = {}) => fork('box', { count: 3, ...options })
      const watch = await lab.watch()
      await lab.client.snapshotter().prepare('box-3', undefined, {
        labels: { 'containerd.io/gc.root': 'now' },
      })
      await expect(forkBox()).rejects.toMatchObject({
        code: 'already_exists',
        message: expect.stringContaining('copy box-3 of container box: '),
      })
      await lab.client.snapshotter().remove('box-3')
      const output = 'file:///dev/null/none'
      await expect(forkBox({ stdio: (id) => (id === 'box-2' ? { output } : {}) })).rejects.toThrow(
        'copy box-2 of container box: ',
      )
      expect(await statuses()).toEqual({ box: 'running' })
      expect(await watch()).toEqual([])
      await ask(await pidOf('box'))
      // All is free again.
      expect(await forkBox()).toHaveLength(3)
    })

    it('an abort leaves nothing', async () => {
      await runNode('box', web)
      const watch = await lab.watch()
      const stop = new AbortController()
      const stdio = (id: string) => {
        if (id === 'box-2') stop.abort(new Error('enough'))
        return {}
      }
      await expect(fork('box', { count: 3, atOnce: 1, stdio, signal: stop.signal })).rejects.toThrow('enough')
      expect(await statuses()).toEqual({ box: 'running' })
      expect(await watch()).toEqual([])
    })

    it('a paused container stays paused, and its copies run', async () => {
      await runNode('box', web)
      await lab.client.tasks.pause('box')
      const [copy] = await fork('box')
      expect(await statuses()).toEqual({ box: 'paused', 'box-1': 'running' })
      await ask(copy!.pid)
    })

    it('copies have streams as they are asked for', async () => {
      const script = 'while read line; do n=$((n+1)); echo $n $line; done'
      const { code } = await lab.stock(['containers', 'create', lab.image, 'box', 'sh', '-c', script])
      expect(code).toBe(0)
      await using box = await lab.client
        .container('box')
        .createTask({ stdin: true, fifoDirectory: lab.fifos })
      await box.start()
      const lines = talk(box)
      expect(await lines('a')).toBe('1 a')
      const copies = await fork('box', {
        count: 2,
        prefix: 'copy',
        stdio: (id) => (id === 'copy1' ? { stdin: true, output: 'pipe', fifoDirectory: lab.fifos } : {}),
      })
      expect(await talk(copies[0]!)('b')).toBe('2 b')
      expect(await lines('c')).toBe('2 c')
      expect(copies[1]).toMatchObject({ containerId: 'copy2', stdin: undefined, stdout: undefined })
      copies[0]!.stdin!.end()
      expect(await copies[0]!.finished()).toMatchObject({ exitStatus: 0 })
      for (const copy of [...copies, box]) {
        await copy.kill('SIGKILL').catch(() => undefined)
        await copy.exit
        await copy.delete()
      }
    })

    it('what cannot be forked is refused before anything is made', async () => {
      await lab.stock(['containers', 'create', lab.image, 'box', 'true'])
      const forkBox = (options?: ForkOptions) => fork('box', options)
      const refusal = (code: string, text = '') =>
        expect.objectContaining({ code, message: expect.stringContaining(text) })
      await expect(forkBox()).rejects.toEqual(refusal('not_found'))
      await expect(fork('other')).rejects.toEqual(refusal('not_found'))
      for (const count of [0, -1, 1.5, 1001])
        await expect(forkBox({ count })).rejects.toEqual(refusal('invalid_argument', String(count)))
      await expect(forkBox({ prefix: '../' })).rejects.toEqual(refusal('invalid_argument', '../1'))
      await lab.stock(['containers', 'rm', 'box'])
      await runNode('box', web)
      await lab.stock(['containers', 'create', lab.image, 'box-2', 'true'])
      await expect(forkBox({ count: 2 })).rejects.toEqual(refusal('already_exists', 'container box-2'))
      await expect(forkBox({ directory: '/nowhere' })).rejects.toEqual(refusal('not_found', '/nowhere'))
      expect(await statuses()).toEqual({ box: 'running' })
    })

    it('ctr prints the ids of the copies, which run', async () => {
      await runNode('box', web)
      const flags = ['--count', '2', '--prefix', 'copy.', '--directory', images]
      const { code, stdout, stderr } = await lab.ctr(['containers', 'fork', ...flags, 'box'])
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'copy.1\ncopy.2\n', stderr: '' })
      expect(await readdir(images)).toEqual([])
      expect(await statuses()).toEqual({ box: 'running', 'copy.1': 'running', 'copy.2': 'running' })
      await ask(await pidOf('copy.2'))
      const again = await lab.ctr(['containers', 'fork', ...flags, 'box'])
      expect(again).toMatchObject({ code: 1, stderr: 'ctr: container copy.1: already exists\n' })
      expect(await lab.ctr(['containers', 'fork', '--count', '0', 'box'])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('--count'),
      })
    })
  })
})

/** Writes a line, and gives the next one that comes. */
function talk(task: TaskHandle): (line: string) => Promise<string> {
  const lines = createInterface({ input: task.stdout! })[Symbol.asyncIterator]()
  return async (line) => {
    task.stdin!.write(`${line}\n`)
    return (await lines.next()).value
  }
}

/**
 * How many sockets a process has that are not of its network namespace: a connection belongs to that of the one who
 * connects, whom CRIU cannot copy.
 */
async function foreignSockets(pid: number): Promise<number> {
  const tables = await Promise.all(
    ['unix', 'tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')),
  )
  const own = new Set(tables.join('\n').split(/\s+/))
  const fds = await readdir(`/proc/${pid}/fd`)
  const targets = await Promise.all(fds.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')))
  return targets.filter((target) => target.startsWith('socket:[') && !own.has(target.slice(8, -1))).length
}

async function answer(socketPath: string, path: string): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    // A connection that stays open could not be copied.
    request({ socketPath, path, agent: false }, resolve).on('error', reject).end()
  })
  return (await json(response)) as Answer
}
