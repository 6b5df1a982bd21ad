import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '@nsbox/client'
import type { NewContainer } from '@nsbox/core/containers'
import { runOrThrow } from '@nsbox/testing'
import { stockCtr } from './subjects.ts'
import { webSocket } from './web-image.ts'

/** Containers of a web service, which end with this. */
export class WebContainers implements AsyncDisposable {
  readonly #client: Client
  readonly #parent: string
  readonly #template: NewContainer

  private constructor(client: Client, parent: string, template: NewContainer) {
    this.#client = client
    this.#parent = parent
    this.#template = template
  }

  /** Takes the spec from a container that stock `ctr` makes of the image. */
  static async create(client: Client, image: string): Promise<WebContainers> {
    const ctr = ['--address', client.address, '--namespace', client.namespace]
    await runOrThrow(stockCtr, [...ctr, 'containers', 'create', image, 'template'])
    const template = await client.containers.get('template')
    const { parent } = await client.snapshotter(template.snapshotter).stat(template.snapshotKey)
    await runOrThrow(stockCtr, [...ctr, 'containers', 'rm', 'template'])
    return new WebContainers(client, parent!, template)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end()
  }

  /** Starts one from the beginning, until it answers. */
  async start(id: string): Promise<void> {
    const { runtime, snapshotter, spec, image } = this.#template
    const rootfs = await this.#client.snapshotter(snapshotter).prepare(id, this.#parent, {
      labels: { 'containerd.io/gc.root': new Date().toISOString() },
    })
    const own = JSON.parse(new TextDecoder().decode(spec.value))
    own.linux.cgroupsPath = `/${this.#client.namespace}/${id}`
    const value = new TextEncoder().encode(JSON.stringify(own))
    await this.#client.containers.create({
      ...{ id, image, runtime, snapshotter, snapshotKey: id },
      spec: { typeUrl: spec.typeUrl, value },
    })
    await this.#client.tasks.create(id, { rootfs })
    const { pid } = await this.#client.tasks.start(id)
    await answer(pid)
  }

  /** Makes copies of one, until all answer. */
  async fork(id: string, count: number, prefix: string): Promise<void> {
    const copies = await this.#client.container(id).fork({ count, prefix })
    await Promise.all(copies.map(({ pid }) => answer(pid)))
    for (const copy of copies) await copy[Symbol.asyncDispose]()
  }

  /** What the processes of all containers but one take, proportional set size and resident set size in kilobytes. */
  async memory(except = ''): Promise<{ readonly pss: number; readonly rss: number }> {
    const sum = { pss: 0, rss: 0 }
    for (const { containerId, pid } of await this.#client.tasks.list()) {
      if (containerId === except) continue
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
      sum.pss += Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1])
      sum.rss += Number(/^Rss:\s+(\d+) kB$/m.exec(rollup)?.[1])
    }
    return sum
  }

  /** Ends and removes all, but for one. */
  async end(except = ''): Promise<void> {
    const { tasks, containers } = this.#client
    for (const { containerId: id } of await tasks.list()) {
      if (id === except) continue
      const ended = tasks.wait(id)
      await tasks.kill(id, 9)
      await ended
      await tasks.delete(id)
      // Before the container, which holds it.
      await this.#client.snapshotter(this.#template.snapshotter).remove(id)
      await containers.delete(id)
    }
  }
}

/** Asks a service, which may be about to listen. */
async function answer(pid: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ask(`/proc/${pid}/root${webSocket}`)
      return
    } catch (error) {
      if (tries === 5000) throw error
      await sleep(2)
    }
  }
}

function ask(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // A connection that stays open could not be copied.
    request({ socketPath, path: '/', agent: false }, (response) => text(response).then(resolve, reject))
      .on('error', reject)
      .end()
  })
}
