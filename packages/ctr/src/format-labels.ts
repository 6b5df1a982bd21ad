import type { Labels } from '@nsbox/core/labels'

/** Labels on one line, sorted by key: `a=1,b=2`; `-` if there are none. */
export function formatLabels(labels: Labels, none = '-'): string {
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? none : pairs.join(',')
}
