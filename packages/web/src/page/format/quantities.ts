const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** Bytes as people read them: three digits at most before the unit, one decimal below ten. */
export function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  const digits = unit === 0 || value >= 9.95 ? 0 : 1
  return `${value.toFixed(digits)} ${units[unit]}`
}

const spans: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** A span of time by its largest whole unit: `3 d`, `5 min`. */
export function spanText(seconds: number): string {
  for (const [size, name] of spans) if (seconds >= size) return `${Math.floor(seconds / size)} ${name}`
  return 'now'
}

/** A duration with the unit that fits it: `1.2 ms`, `340 µs`. */
export function durationText(seconds: number): string {
  const [value, unit] =
    seconds >= 1 ? [seconds, 's'] : seconds >= 0.001 ? [seconds * 1e3, 'ms'] : [seconds * 1e6, 'µs']
  return `${value.toFixed(value >= 9.95 ? 0 : 1)} ${unit}`
}

/** A share as a percentage, with one decimal below ten. */
export function percentText(share: number): string {
  const percent = share * 100
  return `${percent.toFixed(percent >= 9.95 ? 0 : 1)} %`
}
