import { median } from './median.ts'

/** Milliseconds of each subject, one value for each round. */
export type Rounds = ReadonlyMap<string, readonly number[]>

/**
 * A table in Markdown of medians, and of how much less time each subject took than `base` in the same round: the median
 * of these differences, between which values it is at a confidence of 95 %, and its share of what `base` takes.
 */
export function gains(measured: ReadonlyMap<string, Rounds>, base: string): string {
  const rows = [
    `| | subject | rounds | median, ms | less than ${base}, ms (95 %) | share |`,
    '| --- | --- | --- | --- | --- | --- |',
  ]
  for (const [what, rounds] of measured) {
    const bases = rounds.get(base)!
    for (const [subject, values] of rounds) {
      const cells = [what, subject, values.length, median(values).toFixed(1)]
      if (subject === base) rows.push(`| ${[...cells, '', ''].join(' | ')} |`)
      else {
        const differences = values.map((value, round) => bases[round]! - value).sort((a, b) => a - b)
        const gain = median(differences)
        const [least, most] = interval(differences).map((value) => value.toFixed(1))
        const share = `${((100 * gain) / median(bases)).toFixed(1)} %`
        rows.push(`| ${[...cells, `${gain.toFixed(1)} (${least} to ${most})`, share].join(' | ')} |`)
      }
    }
  }
  return rows.join('\n')
}

/** Of a median: the values that a share of 0.95 of all samples of that size have it between (sign test). */
function interval(sorted: readonly number[]): readonly [number, number] {
  const { length } = sorted
  const least = Math.max(0, Math.floor((length - 1.96 * Math.sqrt(length)) / 2))
  return [sorted[least]!, sorted[length - 1 - least]!]
}
