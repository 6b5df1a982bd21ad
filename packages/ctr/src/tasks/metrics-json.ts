/**
 * Statistics as JSON, with the names of the API's fields, and integers that may have more digits than a double can
 * hold. What is zero or empty is left out, as containerd's client does it.
 */
export function metricsJson(metrics: object): string {
  return encode(metrics, '') ?? '{}'
}

function encode(value: unknown, indent: string): string | undefined {
  const deeper = `${indent}  `
  if (typeof value === 'bigint' || typeof value === 'number') return value ? String(value) : undefined
  if (typeof value === 'string') return value === '' ? undefined : JSON.stringify(value)
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined
    // Zeros in a list are kept, since they have a position.
    const entries = value.map((entry) => `${deeper}${encode(entry, deeper) ?? '0'}`)
    return `[\n${entries.join(',\n')}\n${indent}]`
  }
  if (typeof value !== 'object' || value === null) return undefined
  const fields = Object.entries(value).flatMap(([name, field]) => {
    // Fields of the message itself, such as its type, are not statistics.
    const text = name.startsWith('$') ? undefined : encode(field, deeper)
    return text === undefined ? [] : [`${deeper}${JSON.stringify(snakeCase(name))}: ${text}`]
  })
  return fields.length === 0 ? '{}' : `{\n${fields.join(',\n')}\n${indent}}`
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
