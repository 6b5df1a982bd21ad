import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { type Client, connect } from '@nsbox/client'
import {
  buildImage,
  busyboxLayer,
  pushImage,
  randomLayer,
  removeCgroup,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { startServer, type TestServer } from './programs.ts'

/** A server with a page, some images and containers on it, and a browser. */
export interface WebLab extends AsyncDisposable {
  readonly server: TestServer
  readonly client: Client
  readonly browser: Browser
  /** The namespace with all of it. */
  readonly namespace: string
  /** Images with a layer in common, the second of which no server has. */
  readonly images: { readonly here: string; readonly there: string }
  /** Directory of logs. */
  readonly directory: string
  /** Starts a container that runs until it is killed, with its output in a file. */
  run(id: string, script: string): Promise<void>
  /** Opens the page of a server, in a browser with nothing of others by default. */
  open(options?: {
    readonly of?: TestServer
    readonly context?: BrowserContext
    /** Called before the page loads anything. */
    readonly prepare?: (page: Page) => void | Promise<void>
  }): Promise<Page>
}

/** @param namespace for it alone; no other test may have the same, since it names a cgroup */
export async function openWebLab(namespace: string): Promise<WebLab> {
  await using opening = new AsyncDisposableStack()
  const directory = opening.use(await tempDir('nsbox-web')).path
  const registry = opening.use(await startRegistry())
  const busybox = await busyboxLayer()
  const push = async (name: string, sizes: readonly number[]) => {
    const layers = [busybox, ...sizes.map((size, index) => randomLayer(`${name}-${index}`, size))]
    const config = { Env: ['PATH=/bin'], Cmd: ['sh'] }
    const image = await buildImage(join(directory, name), { layers, config })
    return (await pushImage(image, registry, `${name}:1`)).reference
  }
  const images = { here: await push('app', [600_000, 250_000]), there: await push('other', [900_000]) }

  opening.defer(() => removeCgroup(namespace))
  const server = opening.use(
    await startServer({ args: ['--web', `127.0.0.1:${await freePort()}`, '--web-write'] }),
  )
  const client = opening.use(connect({ address: server.address, namespace }))
  await client.pull(images.here, { unpack: {} })
  opening.defer(async () => {
    for await (const { id } of client.containers.list()) {
      const task = await client
        .container(id)
        .task()
        .catch(() => undefined)
      await task?.resume().catch(() => {})
      await task?.kill('SIGKILL', { all: true }).catch(() => {})
      await task?.finished().catch(() => {})
      await task?.delete().catch(() => {})
    }
  })
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
  opening.defer(() => browser.close())
  const resources = opening.move()
  return {
    ...{ server, client, browser, namespace, images, directory },
    async run(id, script) {
      const container = await client.create({ id, image: images.here, args: ['sh', '-c', script] })
      const task = await container.createTask({ output: `file://${join(directory, `${id}.log`)}` })
      await task.start()
    },
    async open({ of = server, context, prepare } = {}) {
      const viewport = { width: 1280, height: 800 }
      const page = await (context ?? (await browser.newContext({ viewport }))).newPage()
      await prepare?.(page)
      await page.goto(await pageLink(of.address))
      return page
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/**
 * A port that a server can have again after it was started anew. Those from 32,768 on are given to whoever connects or
 * listens meanwhile (ip(7), `ip_local_port_range`).
 */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(randomInt(20_000, 32_000), '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      continue
    }
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    return port
  }
}

/** A link to the page of a server, as `ctr web` asks for it. */
async function pageLink(address: string): Promise<string> {
  const asking = request({
    ...{ socketPath: address, path: '/nsbox.web.v1.Web/Open', method: 'POST' },
    headers: { 'content-type': 'application/json' },
  })
  asking.end('{}')
  const [response] = await once(asking, 'response')
  const { url } = (await json(response)) as { url: string }
  return url
}
