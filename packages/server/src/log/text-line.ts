import { pino } from 'pino'

/** A line of the log for people: time, level, message, then the facts as `name=value`. */
export function textLine(json: string): string {
  const { time, level, msg, err, ...facts } = JSON.parse(json) as Record<string, unknown>
  const label = (pino.levels.labels[Number(level)] ?? String(level)).toUpperCase().padEnd(5)
  const pairs = Object.entries(facts).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
  const stack = typeof err === 'object' && err !== null && 'stack' in err ? `\n${String(err.stack)}` : ''
  return `${String(time)} ${label} ${String(msg)}${pairs.join('')}${stack}\n`
}
