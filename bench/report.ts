import { median } from './median.ts'

/** One pull. Times in milliseconds, memory in megabytes. */
export interface Measurement {
  readonly image: string
  readonly subject: string
  readonly wall: number
  readonly daemonCpu: number
  readonly clientCpu: number
  readonly daemonPeak: number
}

/** A table of medians in Markdown, each subject beside the first of its image. */
export function report(measurements: readonly Measurement[]): string {
  const rows = [
    '| image | subject | runs | wall ms (min–max) | ratio | CPU ms daemon + client | daemon peak MB |',
    '| --- | --- | --- | --- | --- | --- | --- |',
  ]
  for (const [image, ofImage] of groups(measurements, ({ image }) => image)) {
    const bySubject = groups(ofImage, ({ subject }) => subject)
    const base = median([...bySubject.values()][0]!.map(({ wall }) => wall))
    for (const [subject, runs] of bySubject) {
      const walls = runs.map(({ wall }) => wall)
      const of = (field: 'daemonCpu' | 'clientCpu' | 'daemonPeak') =>
        round(median(runs.map((run) => run[field])))
      const range = `${round(median(walls))} (${round(Math.min(...walls))}–${round(Math.max(...walls))})`
      const cells = [image, subject, runs.length, range, (median(walls) / base).toFixed(2)]
      rows.push(`| ${[...cells, `${of('daemonCpu')} + ${of('clientCpu')}`, of('daemonPeak')].join(' | ')} |`)
    }
  }
  return rows.join('\n')
}

function groups<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const result = new Map<string, T[]>()
  for (const item of items) result.set(key(item), [...(result.get(key(item)) ?? []), item])
  return result
}

function round(value: number): string {
  return value.toFixed(0)
}
