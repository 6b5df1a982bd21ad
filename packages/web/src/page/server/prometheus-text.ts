/** A value with the labels that it is of. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Most samples that are read. */
const most = 20_000

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*$/
const label = /\s*([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?/gy

/** Reads metrics in Prometheus' text format 0.0.4. Lines that are none are passed over, as Prometheus' comments are. */
export function prometheusSamples(text: string): Sample[] {
  const samples: Sample[] = []
  for (const row of text.split('\n')) {
    if (samples.length === most) break
    if (row.startsWith('#')) continue
    const match = line.exec(row)
    if (match === null) continue
    const [, name = '', labels = '', value = ''] = match
    samples.push({ name, labels: labelsOf(labels), value: numberOf(value) })
  }
  return samples
}

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = Object.create(null)
  for (const [, name = '', value = ''] of text.matchAll(label)) labels[name] = unescaped(value)
  return labels
}

function unescaped(value: string): string {
  return value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))
}

function numberOf(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Number.POSITIVE_INFINITY
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
}
