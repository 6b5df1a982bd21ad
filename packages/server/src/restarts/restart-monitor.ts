import { setTimeout as sleep } from 'node:timers/promises'
import { readBundleSpec } from '@nsbox/bundle'
import { abortable, mapConcurrently } from '@nsbox/concurrency'
import { type ContainerStore, restartLabels } from '@nsbox/core/containers'
import type { AbortOptions, Process, Tasks } from '@nsbox/core/tasks'
import { isNotFound, NsboxError, undefinedIf } from '@nsbox/errors'
import type { Metadata, Restartable } from '@nsbox/metadata'
import { Timestamp } from '@nsbox/time'
import type { Logger } from 'pino'
import { admitContainer, admitRestart } from '../access/tenant-container.ts'
import { nextRestart, restartOrder } from './restart-order.ts'
import { restartOutput } from './restart-output.ts'

/** Milliseconds between two looks at all containers, as with containerd. */
const defaultInterval = 10_000

/** How many tasks are stopped or started at once. */
const atOnce = 4

/** How many tasks are looked at at once. */
const lookedAtAtOnce = 16

/** How long the runtime of one task may take, in milliseconds: one that hangs must not stop the others. */
interface Patience {
  /** To tell its state. */
  readonly look: number
  /** To end once it is killed, and be started. */
  readonly change: number
}

const defaultPatience: Patience = { look: 5_000, change: 30_000 }

/** What a monitor works with. */
export interface RestartMonitorOptions {
  readonly metadata: Pick<Metadata, 'restartable' | 'durable'>
  readonly containers: (namespace: string) => Pick<ContainerStore, 'get' | 'update'>
  readonly tasks: (namespace: string) => Pick<Tasks, 'get' | 'create' | 'start' | 'kill' | 'wait' | 'delete'>
  /** Whether the namespace is a tenant's, whose labels must name nothing of the host. */
  readonly isSealed: (namespace: string) => boolean
  /** Milliseconds from the end of one look to the next. */
  readonly interval?: number | undefined
  /** Five seconds to tell a state and half a minute to change it by default. */
  readonly patience?: Patience | undefined
  readonly log: Pick<Logger, 'warn' | 'error' | 'debug'>
}

/** A container whose task is to be started or stopped. */
type Due = Pick<Restartable, 'namespace' | 'id' | 'updatedAt'>

/**
 * Starts tasks again, or stops them, as the labels of their containers order. It looks at the start, so that containers
 * come back after a start of the host, and then after each interval; so a task is started at most once in an interval.
 * Disposing of it waits for what is under way, which is broken off, but not for a runtime that hangs.
 */
export class RestartMonitor implements AsyncDisposable {
  readonly #options: RestartMonitorOptions
  readonly #interval: number
  readonly #patience: Patience
  readonly #ending = new AbortController()
  /** Aborted when what is broken off is not waited for any more. */
  readonly #abandoning = new AbortController()
  /** The containers for which something is under way. */
  readonly #underWay = new Set<string>()
  readonly #running: Promise<void>
  /** Those whose task was missing or not started yet when they were last looked at; undefined before. */
  #unstarted: ReadonlySet<string> | undefined
  /** What was last said of those that failed, so that it is said once. */
  #said: ReadonlyMap<string, string> = new Map()

  constructor(options: RestartMonitorOptions) {
    this.#options = options
    this.#interval = options.interval ?? defaultInterval
    this.#patience = options.patience ?? defaultPatience
    this.#running = this.#run(this.#ending.signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort()
    const timer = setTimeout(() => this.#abandoning.abort(), this.#patience.look)
    await this.#running
    clearTimeout(timer)
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#look(signal)
        await sleep(this.#interval, undefined, { signal, ref: false })
      } catch (err) {
        if (signal.aborted) return
        this.#options.log.error({ err }, 'looking for tasks to restart')
        await sleep(this.#interval, undefined, { signal, ref: false }).catch(() => undefined)
      }
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const said = new Map<string, string>()
    const due = await this.#find(said, signal)
    const until = performance.now() + Math.max(this.#interval, defaultInterval)
    await mapConcurrently(
      inTurns(due),
      async (each) => {
        // The others are the first of the next look.
        if (performance.now() > until) return
        const { change } = this.#patience
        // The first half is for the change, the second for undoing it.
        await this.#saying(said, each, () =>
          this.#within(2 * change, each, () =>
            this.#apply(each, AbortSignal.any([signal, AbortSignal.timeout(change)])),
          ),
        )
      },
      { concurrency: atOnce, signal },
    )
    this.#said = said
  }

  /** The containers by namespace: those that were changed last at the end, and after them those that failed last. */
  async #find(said: Map<string, string>, ending: AbortSignal): Promise<Due[][]> {
    const due = new Map<string, Due[]>()
    const unstarted = new Set<string>()
    const all: Restartable[] = []
    for await (const each of this.#options.metadata.restartable({ signal: ending })) all.push(each)
    const look = async ({ labels, ...container }: Restartable) => {
      const { namespace } = container
      const task = await this.#within(this.#patience.look, container, () =>
        this.#task(container, { signal: ending }),
      )
      if (restartOrder(labels, task) === undefined) return
      if (task === undefined || task.status === 'created') {
        unstarted.add(keyOf(container))
        // Its client may be about to start it.
        if (this.#unstarted?.has(keyOf(container)) === false) return
      }
      const others = due.get(namespace)
      if (others === undefined) due.set(namespace, [container])
      else others.push(container)
    }
    await mapConcurrently(all, (each) => this.#saying(said, each, () => look(each)), {
      concurrency: lookedAtAtOnce,
      signal: ending,
    })
    this.#unstarted = unstarted
    const failed = (each: Due) => Number(this.#said.has(keyOf(each)))
    return [...due.values()].map((each) =>
      each.sort((a, b) => failed(a) - failed(b) || Timestamp.compare(a.updatedAt, b.updatedAt)),
    )
  }

  async #apply({ namespace, id }: Due, signal: AbortSignal): Promise<void> {
    const { metadata, isSealed, log } = this.#options
    const containers = this.#options.containers(namespace)
    const container = await containers.get(id, { signal })
    const { labels, spec } = container
    const task = await this.#task({ namespace, id }, { signal })
    const order = restartOrder(labels, task)
    if (order === undefined) return
    if (order === 'stop') {
      await this.#end({ namespace, id }, task, signal)
      log.debug({ namespace, container: id }, 'stopped')
      return
    }
    if (isSealed(namespace)) {
      admitContainer(container, namespace)
      admitRestart(labels)
    }
    const output = restartOutput(labels)
    const { terminal } = await readBundleSpec(spec)
    const count = String(nextRestart(labels))
    const counted = { id, labels: { [restartLabels.count]: count } }
    await containers.update(counted, [`labels.${restartLabels.count}`], { signal })
    // A limit must not be passed because of a power cut.
    await metadata.durable()
    await this.#end({ namespace, id }, task, signal)
    await this.#start({ namespace, id }, { stdout: output, stderr: terminal ? '' : output, terminal }, signal)
    log.debug({ namespace, container: id, count }, 'restarted')
  }

  async #start(
    { namespace, id }: Pick<Due, 'namespace' | 'id'>,
    io: Pick<Process, 'stdout' | 'stderr' | 'terminal'>,
    signal: AbortSignal,
  ): Promise<void> {
    const tasks = this.#options.tasks(namespace)
    await tasks.create(id, { ...io, signal })
    try {
      await tasks.start(id, { signal })
    } catch (error) {
      const task = await this.#task({ namespace, id })
      await this.#end({ namespace, id }, task, AbortSignal.timeout(this.#patience.change))
      throw error
    }
  }

  /** Kills what runs of a task, and removes it. */
  async #end(
    { namespace, id }: Pick<Due, 'namespace' | 'id'>,
    task: Process | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (task === undefined) return
    const tasks = this.#options.tasks(namespace)
    if (task.status !== 'created' && task.status !== 'stopped') {
      const ended = undefinedIf(isNotFound, tasks.wait(id, { signal }))
      ended.catch(() => undefined)
      // It may have ended by itself.
      await undefinedIf(isNotFound, tasks.kill(id, 9, { all: true, signal }))
      await ended
    }
    await undefinedIf(isNotFound, tasks.delete(id, { signal }))
  }

  async #task({ namespace, id }: Pick<Due, 'namespace' | 'id'>, options?: AbortOptions) {
    return await undefinedIf(isNotFound, this.#options.tasks(namespace).get(id, options))
  }

  /**
   * Does something for a container, and waits for it for a while. What hangs goes on by itself, and until it ends
   * nothing else is done for the container.
   * @throws `deadline_exceeded`
   */
  async #within<T>(milliseconds: number, container: Due, body: () => Promise<T>): Promise<T> {
    const late = new NsboxError('deadline_exceeded', 'its runtime does not answer')
    const key = keyOf(container)
    if (this.#underWay.has(key)) throw late
    this.#underWay.add(key)
    const work = body().finally(() => this.#underWay.delete(key))
    const timeout = new AbortController()
    const timer = setTimeout(() => timeout.abort(late), milliseconds)
    try {
      return await abortable(work, { signal: AbortSignal.any([timeout.signal, this.#abandoning.signal]) })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Does something for a container, and says why it failed if that is news. */
  async #saying(said: Map<string, string>, container: Due, body: () => Promise<void>): Promise<void> {
    try {
      await body()
    } catch (err) {
      this.#ending.signal.throwIfAborted()
      const key = keyOf(container)
      const text = String(err)
      said.set(key, text)
      if (this.#said.get(key) === text) return
      const { namespace, id } = container
      this.#options.log.warn({ err, namespace, container: id }, 'the task was not restarted')
    }
  }
}

const keyOf = ({ namespace, id }: Pick<Due, 'namespace' | 'id'>) => `${namespace}/${id}`

/** The first of each list, then the second of each, and so on, so that none waits for the whole of another one. */
function* inTurns<T>(lists: readonly (readonly T[])[]): Generator<T> {
  const longest = lists.reduce((most, { length }) => Math.max(most, length), 0)
  for (let n = 0; n < longest; n++) for (const list of lists) if (n < list.length) yield list[n] as T
}
