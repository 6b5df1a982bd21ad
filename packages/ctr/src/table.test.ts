import { expect, it } from 'vitest'
import { renderTable } from './table.ts'

it('fills cells to the widest of their column, and not the last of a row', () => {
  const rows = [
    ['NAME', 'LABELS'],
    ['foo', 'mylabel=bar'],
    ['longer-name', ''],
  ]
  expect(renderTable(rows, { minWidth: 1, padding: 1 })).toBe(
    'NAME        LABELS\nfoo         mylabel=bar\nlonger-name \n',
  )
})

it('keeps to a least width', () => {
  expect(renderTable([['A', 'B', '']], { minWidth: 4, padding: 4 })).toBe('A    B    \n')
})

it('fills with tabs to multiples of eight', () => {
  const rows = [
    ['DIGEST', 'SIZE'],
    ['sha256:0123456789', '1B'],
  ]
  expect(renderTable(rows, { minWidth: 1, padding: 1, tabs: true })).toBe(
    'DIGEST\t\t\tSIZE\nsha256:0123456789\t1B\n',
  )
})

it('counts characters, not UTF-16 units', () => {
  expect(
    renderTable(
      [
        ['😀', 'x'],
        ['ab', 'y'],
      ],
      { minWidth: 1, padding: 1 },
    ),
  ).toBe('😀  x\nab y\n')
})

it('E13 shows what a terminal would obey, and forges neither rows nor columns', () => {
  const platform = 'linux\u001b]0;title\u0007\u009b2J/amd64\u202e'
  expect(
    renderTable(
      [
        ['REF', 'PLATFORMS'],
        ['a\nb\tc', platform],
      ],
      { minWidth: 1, padding: 1 },
    ),
  ).toBe('REF             PLATFORMS\na\\u000ab\\u0009c linux\\u001b]0;title\\u0007\\u009b2J/amd64\\u202e\n')
})
