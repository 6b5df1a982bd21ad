import { performance } from 'node:perf_hooks'
import { Coalescer } from '@nsbox/concurrency'
import type { Logger } from 'pino'
import type { ServerCounts } from '../counts/server-counts.ts'
import type { OpenRuntime } from '../tasks/open-runtime.ts'
import { revision, version } from '../version.ts'
import type { Exposition } from './exposition.ts'
import type { Expositor } from './expositor.ts'
import { sampleProcess } from './process-sample.ts'
import { sampleTasks, type TaskSamples } from './task-samples.ts'

/** Milliseconds that reading the tasks may take. */
const patience = 5000

/** What metrics are read from. */
export interface ServerMetricsParts {
  readonly counts: ServerCounts
  readonly listNamespaces: () => Promise<readonly { readonly name: string }[]>
  readonly tasks: Pick<OpenRuntime, 'runtime' | 'refusal' | 'supervision'>
  readonly log: Logger
}

/** The metrics of a server. Nothing is read before somebody asks, and those who ask at the same time share it. */
export class ServerMetrics {
  readonly #parts: ServerMetricsParts
  readonly #scrapes = new Coalescer(() => this.#scrape())
  #expositor: Expositor | undefined

  constructor(parts: ServerMetricsParts) {
    this.#parts = parts
  }

  /** All metrics, as Prometheus asks for them. */
  text(): Promise<Exposition> {
    return this.#scrapes.run()
  }

  async #scrape(): Promise<Exposition> {
    const { counts, tasks } = this.#parts
    if (this.#expositor === undefined) {
      const { Expositor } = await import('./expositor.ts')
      this.#expositor = new Expositor()
    }
    const [samples, process] = await Promise.all([this.#samples(), sampleProcess()])
    return await this.#expositor.expose({
      ...{ counts, samples, process },
      build: { version, revision },
      loop: performance.eventLoopUtilization(),
      supervision: tasks.supervision?.(),
    })
  }

  async #samples(): Promise<TaskSamples> {
    const { tasks, listNamespaces, log } = this.#parts
    if (tasks.refusal !== undefined) return { tasks: new Map(), containers: [], unmeasured: 0 }
    return await sampleTasks({
      namespaces: (await listNamespaces()).map(({ name }) => name),
      tasks: (namespace) => tasks.runtime.namespace(namespace),
      onError: (err, namespace) => log.debug({ err, namespace }, 'metrics of tasks'),
      signal: AbortSignal.timeout(patience),
    })
  }
}
