import { printable, printableLines } from '@nsbox/errors'
import { pino } from 'pino'

/**
 * A line of the log for people: time, level, message, then fields as `name=value`. The stack of an error follows in
 * indented lines, so that nothing in it looks like a line of the log (docs/threat-model.md E13).
 */
export function textLine(json: string): string {
  const { time, level, msg, err, ...facts } = JSON.parse(json) as Record<string, unknown>
  const label = (pino.levels.labels[Number(level)] ?? String(level)).toUpperCase().padEnd(5)
  const pairs = Object.entries(facts).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
  const stack =
    typeof err === 'object' && err !== null && 'stack' in err
      ? `\n${printableLines(String(err.stack)).replace(/^/gm, '    ')}`
      : ''
  return `${String(time)} ${label} ${printable(`${String(msg)}${pairs.join('')}`)}${stack}\n`
}
