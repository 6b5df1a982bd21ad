import type { OpaqueValue } from '@nsbox/core/containers'
import { changeLabels, type Labels } from '@nsbox/core/labels'

/** What clients attach to containers and sandboxes, by key. */
export interface Maps {
  readonly labels: Labels
  /** By name; kept verbatim. */
  readonly extensions: Readonly<Record<string, OpaqueValue>>
}

/**
 * The result of updating one path: `labels`, `labels.<key>`, `extensions` or `extensions.<name>`.
 * @returns undefined for another path
 */
export function changedMaps(
  current: Maps,
  { labels = {}, extensions = {} }: { readonly [Key in keyof Maps]?: Maps[Key] | undefined },
  path: string,
): Partial<Maps> | undefined {
  if (path === 'labels') return { labels: changeLabels({}, { replace: labels }) }
  if (path === 'extensions') return { extensions }
  if (path.startsWith('labels.')) {
    const key = path.slice('labels.'.length)
    const value = Object.hasOwn(labels, key) ? (labels[key] as string) : ''
    return { labels: changeLabels(current.labels, { merge: { [key]: value } }) }
  }
  if (path.startsWith('extensions.')) {
    const name = path.slice('extensions.'.length)
    const others = Object.entries(current.extensions).filter(([other]) => other !== name)
    const taken = Object.entries(extensions).filter(([other]) => other === name)
    return { extensions: Object.fromEntries([...others, ...taken]) }
  }
  return undefined
}
