import {
  Counter,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client'
import type { PlainHistogram } from '../counts/plain-histogram.ts'
import { type Definition, definitions } from './definitions.ts'
import type { Exposition } from './exposition.ts'
import type { Scrape } from './scrape.ts'

/** Makes the text of a scrape. Loaded only once somebody asks for metrics. */
export class Expositor {
  readonly #registry = new Registry()
  #scrape: Scrape | undefined

  constructor() {
    for (const definition of definitions) this.#register(definition)
  }

  /** One after another: a scrape must not be made while another one is. */
  async expose(scrape: Scrape): Promise<Exposition> {
    this.#scrape = scrape
    const body = await this.#registry.metrics()
    this.#scrape = undefined
    return { contentType: this.#registry.contentType, body }
  }

  #register(definition: Definition): void {
    const { name, help, type, labels = [], read } = definition
    const options = { name, help, labelNames: labels, registers: [this.#registry] }
    if (type === 'histogram') {
      this.#registry.registerMetric(new CountedHistogram(name, help, () => definition.read(this.#scrape!)))
      return
    }
    const rows = () => read(this.#scrape!) as Iterable<readonly [Record<string, string>, number]>
    if (type === 'gauge')
      new Gauge({
        ...options,
        collect() {
          this.reset()
          for (const [labels, value] of rows()) this.set(labels, value)
        },
      })
    else
      new Counter({
        ...options,
        collect() {
          this.reset()
          for (const [labels, value] of rows()) this.inc(labels, value)
        },
      })
  }
}

type HistogramRows = Iterable<readonly [Readonly<Record<string, string>>, PlainHistogram]>

/** A histogram whose numbers were counted elsewhere. */
class CountedHistogram extends Histogram {
  readonly #about: { readonly name: string; readonly help: string }
  readonly #rows: () => HistogramRows

  constructor(name: string, help: string, rows: () => HistogramRows) {
    super({ name, help, registers: [] })
    this.#about = { name, help }
    this.#rows = rows
  }

  /** What the registry asks for. */
  getForPromString() {
    return this.get()
  }

  override async get() {
    const { name, help } = this.#about
    const values = [...this.#rows()].flatMap(([labels, histogram]) => series(name, labels, histogram))
    return { name, help, type: 'histogram', values, aggregator: 'sum' } as unknown as MetricObjectWithValues<
      MetricValue<string>
    > &
      Awaited<ReturnType<Histogram['get']>>
  }
}

function series(
  name: string,
  labels: Readonly<Record<string, string>>,
  { bounds, counts, sum, count }: PlainHistogram,
) {
  let below = 0
  const buckets = bounds.map((bound, index) => {
    below += counts[index]!
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: below }
  })
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
