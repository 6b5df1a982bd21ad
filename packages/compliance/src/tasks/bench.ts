import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { CreateTaskOptions, Tasks } from '@nsbox/core/tasks'
import { isNotFound } from '@nsbox/errors'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { FifoReader, makeFifos } from './fifo.ts'
import type { CreateTasksSubject, TasksSubject } from './subject.ts'
import { type ContainerShape, containerSpec, type ProcessShape, processSpec } from './suite-spec.ts'

/** FIFOs of a process, with readers at those for output. */
export interface Ends {
  readonly stdin: string
  readonly stdout: string
  readonly stderr: string
  readonly out: FifoReader
  /** Absent with a terminal. */
  readonly err: FifoReader | undefined
}

/** A task that a test has made. */
export interface MadeTask {
  readonly id: string
  readonly pid: number
}

/**
 * The parts that the tests of one group share: a subject, and functions that make tasks, which are deleted after the
 * test.
 */
export class Bench {
  readonly subject: TasksSubject
  #count = 0
  readonly #made = new Set<string>()

  constructor(subject: TasksSubject) {
    this.subject = subject
  }

  get tasks(): Tasks {
    return this.subject.tasks
  }

  /** Makes a container of its own and returns its id. */
  async container(shape: ContainerShape): Promise<string> {
    const id = `suite-${process.pid}-${++this.#count}-${Math.random().toString(36).slice(2, 8)}`
    await this.subject.newContainer(id, containerSpec(id, shape))
    this.#made.add(id)
    return id
  }

  /** Makes a container and its task, which is not started. */
  async created(shape: ContainerShape, options: CreateTaskOptions = {}): Promise<MadeTask> {
    const id = await this.container(shape)
    const { pid } = await this.tasks.create(id, { rootfs: this.subject.rootfs, ...options })
    return { id, pid }
  }

  async started(shape: ContainerShape, options: CreateTaskOptions = {}): Promise<MadeTask> {
    const made = await this.created(shape, options)
    await this.tasks.start(made.id)
    return made
  }

  /** A task that does nothing, so that it can have execs. */
  async idle(): Promise<MadeTask> {
    return await this.started({ args: ['sleep', '1000'] })
  }

  /** Adds a process and starts it. */
  async exec(id: string, execId: string, shape: ProcessShape, io: Partial<Ends> = {}): Promise<number> {
    const { stdin = '', stdout = '', stderr = '' } = io
    const spec = processSpec(shape)
    await this.tasks.exec(id, execId, { stdin, stdout, stderr, terminal: shape.terminal === true, spec })
    return (await this.tasks.start(id, { execId })).pid
  }

  /** New FIFOs, with readers. */
  async ends({ terminal = false, stdin = false } = {}): Promise<Ends> {
    const directory = await mkdtemp(join(this.subject.directory, 'io-'))
    const path = (name: string, wanted: boolean) => (wanted ? join(directory, name) : '')
    const paths = { stdin: path('in', stdin), stdout: path('out', true), stderr: path('err', !terminal) }
    await makeFifos(Object.values(paths).filter(Boolean))
    const out = FifoReader.open(paths.stdout)
    return { ...paths, out, err: terminal ? undefined : FifoReader.open(paths.stderr) }
  }

  /** The output of a task that runs to its end, which is then deleted. */
  async output(shape: ContainerShape): Promise<{ out: string; err: string; exitStatus: number }> {
    const { out, err, ...io } = await this.ends()
    const { id } = await this.started(shape, io)
    const { exitStatus } = await this.tasks.wait(id)
    await this.tasks.delete(id)
    return { out: await out.ended, err: (await err?.ended) ?? '', exitStatus }
  }

  /** Ends and deletes every task that a test has left. */
  async cleanUp(): Promise<void> {
    const ids = [...this.#made]
    this.#made.clear()
    await Promise.all(ids.map((id) => this.#remove(id)))
  }

  async #remove(id: string): Promise<void> {
    const tolerant = (error: unknown) => {
      if (!isNotFound(error)) throw error
    }
    const process = await this.tasks.get(id).catch(tolerant)
    if (process === undefined) return
    if (process.status === 'paused') await this.tasks.resume(id).catch(tolerant)
    if (process.status !== 'stopped') {
      await this.tasks.kill(id, 9, { all: true }).catch(tolerant)
      await this.tasks.wait(id).catch(tolerant)
    }
    await this.tasks.delete(id).catch(tolerant)
  }
}

/** A subject for all tests of a group, made before the first. */
export function useBench(create: CreateTasksSubject): () => Bench {
  let bench: Bench
  beforeAll(async () => {
    bench = new Bench(await create())
  }, 60_000)
  afterEach(() => bench.cleanUp())
  afterAll(() => bench.subject[Symbol.asyncDispose]())
  return () => bench
}
