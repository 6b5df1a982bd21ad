import type { LabelChange, Labels } from './labels.ts'

/**
 * The labels that result from a change. The result has no prototype, so keys such as `__proto__` are keys like any
 * other.
 */
export function changeLabels(current: Labels, change: LabelChange): Labels {
  const result: Record<string, string> = Object.create(null)
  if ('merge' in change) Object.assign(result, current)
  for (const [key, value] of Object.entries('merge' in change ? change.merge : change.replace)) {
    if (value === '') delete result[key]
    else result[key] = value
  }
  return result
}
