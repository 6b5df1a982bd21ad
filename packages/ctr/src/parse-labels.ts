import type { Labels } from '@nsbox/core/labels'

/**
 * Labels from arguments of the form `key=value`. A key without a value is given the value `missing`: empty deletes the
 * label where that is the command's meaning.
 */
export function parseLabels(
  args: readonly string[],
  { missing }: { missing: string } = { missing: '' },
): Labels {
  const labels: Record<string, string> = Object.create(null)
  for (const argument of args) {
    const at = argument.indexOf('=')
    if (at === -1) labels[argument] = missing
    else labels[argument.slice(0, at)] = argument.slice(at + 1)
  }
  return labels
}
