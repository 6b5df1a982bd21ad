import { performance } from 'node:perf_hooks'
import type { Client } from '@nsbox/client'
import type { NewContainer } from '@nsbox/core/containers'
import { runOrThrow } from '@nsbox/testing'
import { stockCtr } from './subjects.ts'

const decoder = new TextDecoder()
const encoder = new TextEncoder()
const processType = 'types.containerd.io/opencontainers/runtime-spec/1/Process'

interface Spec {
  process: { args: string[]; terminal?: boolean }
  linux: { cgroupsPath: string }
}

/** What is done to containers while a daemon is measured: RPCs, with no stdio. */
export class ContainerLoad {
  readonly #client: Client
  readonly #parent: string
  readonly #template: NewContainer
  readonly #running: string[] = []
  #count = 0

  private constructor(client: Client, parent: string, template: NewContainer) {
    this.#client = client
    this.#parent = parent
    this.#template = template
  }

  /** Takes the spec from a container that stock `ctr` makes of the image. */
  static async create(client: Client, image: string): Promise<ContainerLoad> {
    const ctr = ['--address', client.address, '--namespace', client.namespace]
    await runOrThrow(stockCtr, [...ctr, 'containers', 'create', image, 'template', 'true'])
    const template = await client.containers.get('template')
    const { parent } = await client.snapshotter(template.snapshotter).stat(template.snapshotKey)
    await runOrThrow(stockCtr, [...ctr, 'containers', 'rm', 'template'])
    return new ContainerLoad(client, parent!, template)
  }

  /**
   * A whole life: snapshot and container are made, the task is created, started, waited for and deleted, both removed.
   */
  async cycle(id: string): Promise<void> {
    const { tasks } = this.#client
    const rootfs = await this.#make(id, ['/bin/true'])
    await tasks.create(id, { rootfs })
    const ended = tasks.wait(id)
    await tasks.start(id)
    const { exitStatus } = await ended
    if (exitStatus !== 0) throw new Error(`${id}: exit status ${exitStatus}`)
    await tasks.delete(id)
    await this.#remove(id)
  }

  /** Starts a container that does nothing. */
  async idle(id: string): Promise<void> {
    const rootfs = await this.#make(id, ['/bin/sleep', 'inf'])
    await this.#client.tasks.create(id, { rootfs })
    await this.#client.tasks.start(id)
    this.#running.push(id)
  }

  /** Runs `true` in a container. */
  async exec(container: string, id: string): Promise<void> {
    const { tasks } = this.#client
    const { process } = JSON.parse(decoder.decode(this.#template.spec.value)) as Spec
    const value = encoder.encode(JSON.stringify({ ...process, args: ['/bin/true'] }))
    await tasks.exec(container, id, { spec: { typeUrl: processType, value } })
    const ended = tasks.wait(container, { execId: id })
    await tasks.start(container, { execId: id })
    await ended
    await tasks.deleteProcess(container, id)
  }

  /** Does something so many times. @returns the milliseconds of each time */
  async sequential(times: number, body: (id: string) => Promise<void>): Promise<number[]> {
    const result: number[] = []
    for (let index = 0; index < times; index++) {
      const id = this.#nextId()
      const start = performance.now()
      await body(id)
      result.push(performance.now() - start)
    }
    return result
  }

  /** Does something so many times, several at once. */
  async concurrent(times: number, atOnce: number, body: (id: string) => Promise<void>): Promise<void> {
    let left = times
    const worker = async () => {
      while (left-- > 0) await body(this.#nextId())
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
  }

  /** Ends what `idle` started. */
  async end(): Promise<void> {
    for (const id of this.#running.splice(0)) {
      const ended = this.#client.tasks.wait(id)
      await this.#client.tasks.kill(id, 9)
      await ended
      await this.#client.tasks.delete(id)
      await this.#remove(id)
    }
  }

  async #make(id: string, args: string[]) {
    const { containers } = this.#client
    const { runtime, snapshotter } = this.#template
    const mounts = await this.#client.snapshotter(snapshotter).prepare(id, this.#parent, {
      labels: { 'containerd.io/gc.root': new Date().toISOString() },
    })
    const spec = JSON.parse(decoder.decode(this.#template.spec.value)) as Spec
    spec.process.args = args
    spec.process.terminal = false
    spec.linux.cgroupsPath = `/${this.#client.namespace}/${id}`
    const value = encoder.encode(JSON.stringify(spec))
    const { typeUrl } = this.#template.spec
    await containers.create({ id, runtime, spec: { typeUrl, value }, snapshotter, snapshotKey: id })
    return mounts
  }

  async #remove(id: string): Promise<void> {
    await this.#client.containers.delete(id)
    await this.#client.snapshotter(this.#template.snapshotter).remove(id)
  }

  #nextId(): string {
    this.#count += 1
    return `load-${this.#count}`
  }
}
