import { NsboxError } from '@nsbox/errors'
import type { LabelChange, Labels } from './labels.ts'

/**
 * The change that a field mask describes: no path, or `labels`, replaces all labels; `labels.<key>` sets one key, or
 * deletes it if `labels` lacks the key or has an empty value for it. Keys may contain dots.
 *
 * @param field the name that the paths start with, `labels` for most objects
 * @throws `invalid_argument` for any other path, with the text of containerd
 */
export function labelChangeFromPaths(
  labels: Labels,
  paths: readonly string[],
  { field = 'labels', subject }: { field?: string; subject: string },
): LabelChange {
  if (paths.length === 0 || paths.includes(field)) return { replace: labels }
  const merge: Record<string, string> = Object.create(null)
  for (const path of paths) {
    if (!path.startsWith(`${field}.`)) {
      throw new NsboxError('invalid_argument', `cannot update "${path}" field on ${subject}`)
    }
    const key = path.slice(field.length + 1)
    merge[key] = Object.hasOwn(labels, key) ? (labels[key] as string) : ''
  }
  return { merge }
}
