import { median } from '../median.ts'
import type { Machine } from './machine.ts'
import type { Outcome } from './outcome.ts'
import type { Row } from './row.ts'

/** The table as a document in Markdown. */
export function markdown(machine: Machine, table: readonly Outcome[], floor: readonly Outcome[]): string {
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
  ].join('\n\n')}\n`
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
