import { printable, printableLines } from '@nsbox/errors'

/** Writes a line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`)
}

/** Writes text that is laid out in lines to standard output, as it is but for other controls. */
export function printText(text: string): void {
  process.stdout.write(printableLines(text))
}

/** The options of a command that lists things. */
export interface ListOptions {
  readonly quiet?: boolean
  readonly json?: boolean
}

/** Prints a list as the options say: as JSON, only the names, or a table. */
export function printList<T>(
  items: readonly T[],
  { quiet, json }: ListOptions,
  nameOf: (item: T) => string,
  table: () => string,
): void {
  if (json) print(JSON.stringify(items))
  else if (quiet) for (const item of items) print(nameOf(item))
  else printText(table())
}

/** Writes a line to standard error. */
export function complain(line: string): void {
  process.stderr.write(`${printable(line)}\n`)
}

/** Writes text that is laid out in lines to standard error, as it is but for other controls. */
export function complainText(text: string): void {
  process.stderr.write(printableLines(text))
}
