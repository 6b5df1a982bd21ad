import type { Outcome } from './outcome.ts'
import type { Row } from './row.ts'

const line = 22
const labels = 400
const bars = 420
const top = 46

/** Times that of containerd: as much to the left as to the right. */
const most = 8

/**
 * A picture in SVG of what work costs in relation to containerd: a bar to the left of the middle where nsbox is ahead,
 * to the right where containerd is, on a logarithmic scale, and a mark at each goal. Rows without a goal by ratio are
 * left out.
 */
export function plot(table: readonly Outcome[]): string {
  const shown = table.filter(({ row, ratio }) => row.goal?.ratio !== undefined && ratio !== undefined)
  const height = top + shown.length * line + 12
  const size = { width: labels + bars + 70, height, 'font-family': 'sans-serif', 'font-size': 12 }
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg"${attributes(size)}>`,
    '<title>What nsbox takes in relation to containerd</title>',
    `<rect${attributes({ width: '100%', height: '100%', fill: '#ffffff' })}/>`,
    text(labels + bars / 4, 16, 'nsbox is ahead', 'middle'),
    text(labels + (bars * 3) / 4, 16, 'containerd is ahead', 'middle'),
    ...[1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8].flatMap((cost) => [
      upright(at(cost), top - 8, height - 8, { stroke: cost === 1 ? '#444444' : '#dddddd' }),
      text(at(cost), top - 14, `${cost < 1 ? `1/${1 / cost}` : cost}×`, 'middle'),
    ]),
    ...shown.flatMap((outcome, index) => bar(outcome, top + index * line)),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

function bar({ row, ratio, met }: Outcome, y: number): string[] {
  const end = at(costOf(row, ratio!))
  const x = Math.min(at(1), end)
  const size = { x, y: y + 3, width: Math.max(at(1), end) - x, height: 14 }
  return [
    text(labels - 10, y + 14, row.what.replaceAll('`', ''), 'end'),
    `<rect${attributes({ ...size, fill: met ? '#2a8f5b' : '#d9822b' })}/>`,
    upright(at(costOf(row, row.goal!.ratio!)), y + 1, y + 19, { stroke: '#1f4e9e', 'stroke-width': 2 }),
    text(labels + bars + 10, y + 14, ratio!.toFixed(2), 'start'),
  ]
}

type Attributes = Readonly<Record<string, string | number>>

function attributes(values: Attributes): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join('')
}

function upright(x: number, from: number, to: number, style: Attributes): string {
  return `<line${attributes({ x1: x, x2: x, y1: from, y2: to, ...style })}/>`
}

/** Of rates the inverse, so that less is always better. */
function costOf({ unit }: Row, ratio: number): number {
  return unit === 'per s' ? 1 / ratio : ratio
}

function at(cost: number): number {
  const clipped = Math.min(Math.max(cost, 1 / most), most)
  return Math.round(labels + (bars * (Math.log(clipped) / Math.log(most) + 1)) / 2)
}

function text(x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end'): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text${attributes({ x, y, 'text-anchor': anchor })}>${escaped}</text>`
}
