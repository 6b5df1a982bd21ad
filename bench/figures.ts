import { median } from './median.ts'

/** What one subject gave for one thing, as often as it was measured. */
export interface Figure {
  readonly what: string
  readonly subject: string
  readonly values: readonly number[]
}

/** A table in Markdown of the medians of all values, each subject's beside those of `base`. */
export function figures(measured: readonly Figure[], base: string): string {
  const rows = ['| | subject | values | median (min–max) | ratio |', '| --- | --- | --- | --- | --- |']
  for (const what of new Set(measured.map((figure) => figure.what))) {
    const valuesOf = (subject: string) =>
      measured
        .filter((figure) => figure.what === what && figure.subject === subject)
        .flatMap(({ values }) => values)
    for (const subject of new Set(measured.map((figure) => figure.subject))) {
      const values = valuesOf(subject)
      const range = `${short(median(values))} (${short(Math.min(...values))}–${short(Math.max(...values))})`
      const ratio = median(values) / median(valuesOf(base))
      rows.push(
        `| ${[what, subject, values.length, range, Number.isNaN(ratio) ? '' : ratio.toFixed(2)].join(' | ')} |`,
      )
    }
  }
  return rows.join('\n')
}

function short(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0)
}
