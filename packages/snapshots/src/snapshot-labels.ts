import { changeLabels, type Labels } from '@nsbox/core/labels'
import { validateLabels } from '@nsbox/namespaces'

/**
 * Labels of a new snapshot: those with a value.
 * @throws `invalid_argument` beyond the limits
 */
export function checkLabels(labels: Labels = {}): Labels {
  const kept = changeLabels({}, { replace: labels })
  validateLabels(kept, 'info.Labels')
  return kept
}
