/** A size in binary units with one decimal, as image lists and progress show it: `1.1 MiB`. */
export function formatBinarySize(bytes: number): string {
  const [value, unit] = scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'])
  return `${value.toFixed(1)} ${unit}`
}

/** A size in decimal units with four significant digits, as content lists show it: `1.146MB`. */
export function formatDecimalSize(bytes: number): string {
  const [value, unit] = scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB'])
  return `${Number(value.toPrecision(4))}${unit}`
}

function scaled(bytes: number, step: number, units: readonly string[]): [value: number, unit: string] {
  let unit = 0
  let value = bytes
  for (; value >= step && unit < units.length - 1; unit += 1) value /= step
  return [value, units[unit]!]
}
