import { printable, printableLines } from '@nsbox/errors'

/** Writes a line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${printable(line)}\n`)
}

/** Writes text that is laid out in lines to standard output, as it is but for other controls. */
export function printText(text: string): void {
  process.stdout.write(printableLines(text))
}

/** Writes a line to standard error. */
export function complain(line: string): void {
  process.stderr.write(`${printable(line)}\n`)
}
