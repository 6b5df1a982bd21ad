/** Counts of values below bounds, as Prometheus has them, in plain numbers: to count costs one short loop. */
export class PlainHistogram {
  /** Upper bounds, ascending; a value that equals one is below it. */
  readonly bounds: readonly number[]
  /** How many values lie between each bound and the one before; the last is for those above all. */
  readonly counts: number[]
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    const { bounds } = this
    let index = 0
    while (index < bounds.length && value > bounds[index]!) index++
    this.counts[index]!++
    this.sum += value
    this.count++
  }
}
