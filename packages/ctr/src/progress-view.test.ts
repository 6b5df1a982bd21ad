import { stripVTControlCharacters } from 'node:util'
import type { TransferProgress } from '@nsbox/core/transfer'
import { expect, it, vi } from 'vitest'
import { ProgressView } from './progress-view.ts'

const at = (event: string, progress = 0): TransferProgress => {
  return { event, name: 'layer-1', parents: [], progress, total: 100 }
}

it('writes one plain line for each change of state when nobody sits at a terminal', () => {
  const lines: string[] = []
  {
    using view = new ProgressView({ write: (text) => lines.push(text) })
    for (const progress of [
      at('waiting'),
      at('downloading', 10),
      at('downloading', 50),
      at('complete', 100),
    ]) {
      view.update(progress)
    }
  }
  expect(lines.slice(0, -1)).toEqual(['layer-1: waiting\n', 'layer-1: downloading\n', 'layer-1: complete\n'])
  expect(lines.at(-1)).toMatch(/^elapsed: \d+\.\d s {2}total: 100\.0 B \(.+\/s\)\n$/)
})

it('shows that layers are extracted, which moves no bytes', () => {
  const lines: string[] = []
  using view = new ProgressView({ write: (text) => lines.push(text) })
  view.update(at('complete', 100))
  for (const event of ['extracting', 'extracted']) {
    view.update(at(event, 100))
    view.update({ ...at(event, 100), name: 'layer-2' })
  }
  expect(lines).toEqual([
    'layer-1: complete\n',
    'layer-1: extracting\n',
    'layer-2: extracting\n',
    'layer-1: extracted\n',
    'layer-2: extracted\n',
  ])
  expect(view.bytes).toBe(100)
})

it('counts no bytes of what was there already', () => {
  using view = new ProgressView({ write: () => undefined })
  view.update(at('already exists', 100))
  expect(view.bytes).toBe(0)
})

it.each([
  [200, 80, 40],
  [121, 39, 40],
  [120, 38, 40],
  [80, 24, 14],
  [60, 24, 0],
  [20, 19, 0],
])('fits its lines into %i columns', (columns, nameWidth, barWidth) => {
  const written: string[] = []
  const output = { write: (text: string) => void written.push(text), cursorTo() {}, isTTY: true, columns }
  const name = `manifest-sha256:${'0123456789abcdef'.repeat(4)}`
  {
    using view = new ProgressView(output)
    view.update({ ...at('downloading', (1 << 30) - 1), name, total: 1023 * 2 ** 40 })
    view.update({ ...at('complete', 1), name: `${name}2` })
  }
  const lines = stripVTControlCharacters(written.join('')).trimEnd().split('\n')
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(columns)
  expect(lines).toHaveLength(3)
  expect(lines[0]!.split('…')[0]).toBe(name.slice(0, nameWidth - 1))
  expect(lines[1]!.match(/\|(\++)\|/)?.[1]?.length ?? 0).toBe(barWidth)
})

it('draws nothing before there is something to draw, such as over a question', () => {
  vi.useFakeTimers()
  try {
    const written: string[] = []
    const output = { write: (text: string) => void written.push(text), cursorTo() {}, isTTY: true }
    using view = new ProgressView(output)
    vi.advanceTimersByTime(1000)
    expect(written).toEqual([])
    view.update(at('waiting'))
    vi.advanceTimersByTime(100)
    expect(written.join('')).toMatch(/layer-1: +waiting +\|.*\nelapsed: 0\.1 s/)
  } finally {
    vi.useRealTimers()
  }
})

it('E13 shows what a terminal would obey in names and states', () => {
  for (const isTTY of [false, true]) {
    const written: string[] = []
    {
      const output = { write: (text: string) => void written.push(text), cursorTo() {}, isTTY, columns: 200 }
      using view = new ProgressView(output)
      view.update({ ...at('waiting\u009bx'), name: 'layer\u001b]0;title\u0007\nnext' })
    }
    expect(written.join('')).toContain('layer\\u001b]0;title\\u0007\\u000anext:')
    for (const control of ['\u0007', '\u009b']) expect(written.join('')).not.toContain(control)
  }
})
