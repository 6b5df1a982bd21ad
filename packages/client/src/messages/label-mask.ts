import type { LabelChange } from '@nsbox/core/labels'

/** A change of labels as an update request tells it: a map, and the paths of the fields that it is to change. */
export interface MaskedLabels {
  readonly labels: Record<string, string>
  readonly paths: string[]
}

/**
 * A change of labels in the form of an update request. Replacing is the path `field`, merging is one path for each key;
 * without any path a server would replace everything, so a change without paths must not be sent.
 *
 * @param field the name of the map in the message
 */
export function maskedLabels(change: LabelChange, field = 'labels'): MaskedLabels {
  if ('merge' in change) {
    const keys = Object.keys(change.merge)
    return { labels: { ...change.merge }, paths: keys.map((key) => `${field}.${key}`) }
  }
  return { labels: withoutEmpty(change.replace), paths: [field] }
}

/** All labels of an object but those with an empty value, which only some servers keep. */
export function withoutEmpty(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''))
}
