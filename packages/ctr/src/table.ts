import { printable } from '@nsbox/errors'

/** How the columns of a table are laid out; the names and meanings are those of Go's text/tabwriter. */
export interface TableLayout {
  /** Least width of a column, padding included. */
  readonly minWidth: number
  /** Characters added to the widest cell of a column. */
  readonly padding: number
  /** Fill with tabs to multiples of eight instead of spaces. */
  readonly tabs?: boolean
}

const tabWidth = 8

/** Lays out rows in columns; the last cell of a row is not filled. */
export function renderTable(texts: ReadonlyArray<readonly string[]>, layout: TableLayout): string {
  const rows = texts.map((cells) => cells.map(printable))
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      const width = Math.max(layout.minWidth, [...cell].length + layout.padding)
      widths[column] = Math.max(widths[column] ?? 0, width)
    }
  }
  return rows.map((row) => `${renderRow(row, widths, layout)}\n`).join('')
}

function renderRow(row: readonly string[], widths: readonly number[], { tabs }: TableLayout): string {
  const cells = row.map((cell, column) => {
    if (column === row.length - 1) return cell
    const width = widths[column] ?? 0
    const length = [...cell].length
    if (!tabs) return cell + ' '.repeat(width - length)
    return cell + '\t'.repeat(Math.ceil((Math.ceil(width / tabWidth) * tabWidth - length) / tabWidth))
  })
  return cells.join('')
}
