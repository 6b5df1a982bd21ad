import { once } from 'node:events'
import { appendFile, readdir, readFile, readlink } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import type { Digest } from '@nsbox/oci'
import { busyboxArchive, removeCgroup, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { Server } from '../server.ts'
import { startServer } from '../start.ts'
import { importImage, makeContainer } from '../testing/tenant-lab.ts'
import { ask, openPage } from '../testing/web-client.ts'

const namespace = 'web-terminal'

describeWith(
  { root: true, linux: true, programs: ['runc', 'busybox', 'criu'] },
  'containers on the page',
  () => {
    const resources = new AsyncDisposableStack()
    let directory: string
    let server: Server
    let client: Client
    let image: Digest
    let host: string
    let cookie: string

    beforeAll(async () => {
      directory = resources.use(await scratchMount()).path
      const archive = await busyboxArchive(directory)
      resources.defer(() => removeCgroup(namespace))
      await start()
      image = await importImage({ archive: archive.path, image: archive.name }, { client })
      resources.defer(async () => {
        for (const { containerId } of await client.tasks.list()) {
          await client.tasks.kill(containerId, 9, { all: true }).catch(() => undefined)
          await client.tasks.wait(containerId)
          await client.tasks.delete(containerId)
        }
        await client[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      })
      // One process, which goes on after an interrupted call, as CRIU leaves it.
      await makeContainer({ client, namespace }, 'sleeper', image, ['tail', '-f', '/dev/null'])
      await client.containers.update({ id: 'sleeper', image: archive.name }, ['image'])
      await client.tasks.create('sleeper')
      await client.tasks.start('sleeper')
    })
    afterAll(() => resources.disposeAsync())

    async function start(): Promise<void> {
      const [root, state] = [join(directory, 'root'), join(directory, 'state')]
      const config = {
        root,
        state,
        durability: 'relaxed',
        webAddress: '127.0.0.1:0',
        webWrite: true,
      } as const
      server = await startServer(config, { pageFiles: async () => new Map() })
      client = connect({ address: server.address, namespace })
      host = new URL(server.webAddress!).host
      cookie = await openPage((await client.pageLink()).url)
    }

    const headers = () => ({ cookie, origin: `http://${host}` })
    const query = (container: string, ...args: string[]) =>
      new URLSearchParams([
        ['namespace', namespace],
        ['container', container],
        ...args.map((arg): [string, string] => ['args', arg]),
      ])

    function terminal(container: string, ...args: string[]): WebSocket {
      return new WebSocket(`ws://${host}/terminal?${query(container, ...args)}`, { headers: headers() })
    }

    /** Its output, as it comes, and the texts that come. */
    function outputOf(socket: WebSocket): { bytes: string; readonly texts: string[] } {
      const output = { bytes: '', texts: [] as string[] }
      socket.on('message', (data, isBinary) => {
        if (isBinary) output.bytes += data
        else output.texts.push(String(data))
      })
      return output
    }

    const pids = async () => (await client.tasks.pids('sleeper')).map(({ pid }) => pid)
    /** Those of terminals, which need not have the greater numbers: these begin again at the kernel's `pid_max`. */
    const terminalPids = async () => {
      const { pid: own } = await client.tasks.get('sleeper')
      return (await pids()).filter((pid) => pid !== own)
    }
    const fifos = () => readdir(join(directory, 'state', 'fifo'))
    /** Once there is only the container's own process, and nothing that the others had. */
    const onlySleeper = () =>
      expect.poll(async () => [(await pids()).length, await fifos()], { timeout: 30_000 }).toEqual([1, []])

    test('a terminal passes bytes both ways, has its size, and tells the status at the end', async () => {
      const socket = terminal('sleeper')
      const output = outputOf(socket)
      await once(socket, 'open')
      socket.send('{"resize":[100,30]}')
      socket.send(Buffer.from('echo $((6*7)) $TERM; stty size\n'))
      await expect.poll(() => output.bytes, { timeout: 30_000 }).toMatch(/42 xterm-256color\r\n30 100\r\n/)
      socket.send(Buffer.from('exit 3\n'))
      const [code] = await once(socket, 'close')
      expect([code, output.texts]).toEqual([1000, ['{"exit":3}']])
      await onlySleeper()
    })

    test('H06 its process is gone when the socket closes, however it closes', async () => {
      const sockets = [terminal('sleeper', 'sleep', '10000'), terminal('sleeper', 'sleep', '10000')]
      await Promise.all(sockets.map((socket) => once(socket, 'open')))
      await expect.poll(async () => (await pids()).length, { timeout: 30_000 }).toBe(3)
      sockets[0]!.terminate()
      sockets[1]!.close()
      await onlySleeper()
    })

    test('H06 a message that is too large, or is no order, ends it', async () => {
      for (const [message, code] of [
        [Buffer.alloc((64 << 10) + 1), 1009],
        ['{"resize":[0,1]}', 1011],
        ['{"resize":', 1011],
      ] as const) {
        const socket = terminal('sleeper')
        await once(socket, 'open')
        socket.send(message)
        expect((await once(socket, 'close'))[0]).toBe(code)
      }
      await onlySleeper()
    })

    test('H06 a program that is not there is told as the reason of the close', async () => {
      const socket = terminal('sleeper', 'no-such-program')
      const [code, reason] = await once(socket, 'close')
      expect([code, String(reason)]).toEqual([1011, expect.stringContaining('no-such-program')])
      const missing = terminal('nothing')
      expect(String((await once(missing, 'close'))[1])).toContain('nothing')
      await onlySleeper()
    })

    test('H06 a process waits while nobody reads its output', async () => {
      const bytes = 24 << 20
      const socket = terminal('sleeper', 'head', '-c', String(bytes), '/dev/zero')
      await once(socket, 'open')
      socket.pause()
      await expect.poll(async () => (await terminalPids()).length, { timeout: 30_000 }).toBe(1)
      const [pid] = await terminalPids()
      const written = async () => Number(/wchar: (\d+)/.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1])
      let before = -1
      await expect
        .poll(
          async () => {
            const now = await written()
            const isStill = now > 0 && now === before
            before = now
            return isStill
          },
          { timeout: 60_000, interval: 300 },
        )
        .toBe(true)
      expect(before).toBeLessThan(bytes)
      let got = 0
      const texts: string[] = []
      socket.on('message', (data: Buffer, isBinary) => {
        if (isBinary) got += data.length
        else texts.push(String(data))
      })
      socket.resume()
      await once(socket, 'close')
      expect([got, texts]).toEqual([bytes, ['{"exit":0}']])
    })

    test('H06 a client waits while the process does not read', async () => {
      const socket = terminal('sleeper', 'sleep', '10000')
      await once(socket, 'open')
      const bytes = 32 << 20
      for (let sent = 0; sent < bytes; sent += 64 << 10) socket.send(Buffer.alloc(64 << 10, 'x'))
      let before = -1
      await expect
        .poll(
          () => {
            const isStill = socket.bufferedAmount === before
            before = socket.bufferedAmount
            return isStill
          },
          { timeout: 60_000, interval: 300 },
        )
        .toBe(true)
      expect(before).toBeGreaterThan(8 << 20)
      for (const pid of await terminalPids()) process.kill(pid, 'SIGKILL')
      const output = outputOf(socket)
      await once(socket, 'close')
      expect(output.texts).toEqual(['{"exit":137}'])
      await onlySleeper()
    })

    test('the log of a task that has one in a file is shown as it grows, and is let go of at the end', async () => {
      const path = join(directory, 'writer.log')
      await makeContainer({ client, namespace }, 'writer', image, ['sh', '-c', 'echo said; sleep 10000'])
      await client.tasks.create('writer', { stdout: `file://${path}` })
      await client.tasks.start('writer')
      // The server keeps one of the process that writes it.
      const before = await descriptorsOf(path)
      const { hostname, port } = new URL(`http://${host}`)
      const asked = get({ host: hostname, port, path: `/logs?${query('writer')}`, headers: { host, cookie } })
      const [response] = await once(asked, 'response')
      let text = ''
      response.on('data', (data: Buffer) => {
        text += data
      })
      await expect.poll(() => text, { timeout: 30_000 }).toBe('said\n')
      await appendFile(path, 'more\n')
      await expect.poll(() => text, { timeout: 30_000 }).toBe('said\nmore\n')
      expect(await descriptorsOf(path)).toBe(before + 1)
      asked.destroy()
      await expect.poll(() => descriptorsOf(path), { timeout: 30_000 }).toBe(before)
      const none = await ask(host, `/logs?${query('sleeper')}`, { headers: { cookie } })
      expect(none).toMatchObject({ status: 404, body: expect.stringContaining('--log-uri') })
    })

    /** How many descriptors of this process, which the server is in, are of a file. */
    async function descriptorsOf(path: string): Promise<number> {
      const descriptors = await readdir('/proc/self/fd')
      const links = await Promise.all(
        descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
      )
      return links.filter((link) => link === path).length
    }

    test('a container is forked, and checkpointed into an image', async () => {
      const post = (path: string) => ask(host, path, { method: 'POST', headers: headers() })
      const forked = await post(`/fork?${query('sleeper')}&prefix=copy-`)
      expect([forked.status, forked.body]).toEqual([204, ''])
      expect(await client.tasks.get('copy-1')).toMatchObject({ status: 'running' })
      const again = await post(`/fork?${query('sleeper')}&prefix=copy-`)
      expect(again).toMatchObject({ status: 409, body: expect.stringContaining('copy-1') })
      const kept = await post(`/checkpoint?${query('sleeper')}&name=example.com/kept:1`)
      expect([kept.status, kept.body]).toEqual([204, ''])
      expect((await client.images.get('example.com/kept:1')).name).toBe('example.com/kept:1')
      expect((await post(`/checkpoint?${query('none')}&name=x`)).status).toBe(404)
    })

    test('H06 the server’s end ends terminals with their processes, and nothing else', async () => {
      const socket = terminal('sleeper', 'sleep', '10000')
      await once(socket, 'open')
      await expect.poll(async () => (await pids()).length, { timeout: 30_000 }).toBe(2)
      const closed = once(socket, 'close')
      await client[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
      expect((await closed)[0]).toBe(1001)
      await start()
      await onlySleeper()
    })
  },
)
