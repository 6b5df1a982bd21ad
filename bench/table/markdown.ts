import { median } from '../median.ts'
import type { Machine } from './machine.ts'
import type { Outcome } from './outcome.ts'
import type { RowParts } from './parts.ts'
import type { Row } from './row.ts'
import { parts as names } from './sample-part.ts'

/** The table as a document in Markdown. */
export function markdown(
  machine: Machine,
  table: readonly Outcome[],
  floor: readonly Outcome[],
  parts: readonly RowParts[],
): string {
  const withGoal = table.filter(({ met }) => met !== undefined)
  const met = withGoal.filter((outcome) => outcome.met)
  return `${[
    '# Beside containerd',
    [
      "What nsbox and Debian's containerd take for the same work, measured in turns in one run of",
      '`npm run bench:table` (see [README.md](README.md)). Each value is the median of all rounds, with the least and',
      "the most; a ratio is ours by containerd's, so that less is better but for rates per second.",
      `${met.length} of ${withGoal.length} goals are met.`,
    ].join('\n'),
    '![Ratios to containerd](results.svg)',
    list(machine),
    [
      '| | nsbox | containerd | ratio | goal | met |',
      '| --- | --- | --- | --- | --- | --- |',
      ...table.map(tableRow),
    ].join('\n'),
    '## What the machine itself takes',
    ['| without a daemon | |', '| --- | --- |', ...floor.map(floorRow)].join('\n'),
    ...(parts.length === 0 ? [] : partsTable(parts)),
  ].join('\n\n')}\n`
}

/** A line for each row and daemon. */
function partsTable(parts: readonly RowParts[]): string[] {
  const lines = parts.flatMap(({ rows, subjects }) =>
    Object.entries(subjects).map(([subject, sums], index) => {
      const all = Object.values(sums).reduce((sum, value) => sum + value, 0)
      const what = index === 0 ? rows.map((row) => row.what).join('; ') : ''
      const cells = names.map((name) => ((sums[name] ?? 0) < all / 200 ? '' : short(sums[name]!)))
      return `| ${[what, subject.replace(/,.*/, ''), short(all), ...cells].join(' | ')} |`
    }),
  )
  return [
    '## Where the time goes',
    [
      'Of what misses its goal: milliseconds of all processors for each time that it is done, by a profile of the',
      'whole machine in a run of its own. What runs in a daemon and its helpers is told apart by part, but for',
      "containerd's own code, which has no names; less than a half per cent is left out. Where there is nothing to do,",
      'processors wait for the disk or for each other. Of memory tells [performance](../docs/performance.md).',
    ].join('\n'),
    [
      `| ${['', '', 'all', ...names].join(' | ')} |`,
      `| ${['', '', '', ...names].map(() => '---').join(' | ')} |`,
      ...lines,
    ].join('\n'),
  ]
}

function list(machine: Machine): string {
  return Object.entries(machine)
    .map(([name, value]) => `- ${name}: ${value}`)
    .join('\n')
}

function tableRow({ row, ours, containerds, ratio, met }: Outcome): string {
  const cells = [
    row.what,
    range(ours, row),
    range(containerds, row),
    ratio?.toFixed(2) ?? '',
    goalText(row),
    met === undefined ? '' : met ? 'yes' : '**no**',
  ]
  return `| ${cells.join(' | ')} |`
}

function floorRow({ row, ours }: Outcome): string {
  return `| ${row.what} | ${range(ours, row)} |`
}

function goalText({ goal, unit }: Row): string {
  const ratio = goal?.ratio === undefined ? [] : [`${unit === 'per s' ? '≥' : '≤'} ${goal.ratio}`]
  const most = goal?.most === undefined ? [] : [`≤ ${goal.most} ${unit}`]
  return [...ratio, ...most].join(', ')
}

function range(values: readonly number[], { unit }: Row): string {
  if (values.length === 0) return ''
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return `${short(median(values))} ${unit} (${short(least)}–${short(most)})`
}

/** Three digits or more. */
function short(value: number): string {
  return value.toFixed(value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0)
}
