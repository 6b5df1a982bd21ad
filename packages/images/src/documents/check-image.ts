import type { AbortOptions, ContentReader } from '@nsbox/core/content'
import { isNotFound } from '@nsbox/errors'
import { type Descriptor, isIndex, type Platform } from '@nsbox/oci'
import { readChildren } from './children.ts'
import { chooseManifests } from './choose-manifests.ts'
import { documentsBudget, maxObjects } from './walk.ts'

/** Which content of an image exists. */
export interface ImageCheck {
  /** `complete`, `incomplete`, or `unavailable` if a document that lists its content is missing. */
  readonly status: 'complete' | 'incomplete' | 'unavailable'
  readonly required: readonly Descriptor[]
  readonly present: readonly Descriptor[]
  readonly missing: readonly Descriptor[]
}

/**
 * Checks that the content of an image exists for the given platforms (all of them if empty): documents, configs and
 * layers.
 *
 * @throws `invalid_argument` or `data_loss` if an existing document is invalid
 */
export async function checkImage(
  content: ContentReader,
  target: Descriptor,
  { platforms = [], signal }: { readonly platforms?: readonly Platform[] } & AbortOptions = {},
): Promise<ImageCheck> {
  const required: Descriptor[] = []
  const present: Descriptor[] = []
  const missing: Descriptor[] = []
  const seen = new Set<string>()
  const documents = documentsBudget(target)
  let unknown = false

  const pending = [target]
  for (let next = pending.shift(); next !== undefined && seen.size < maxObjects; next = pending.shift()) {
    if (seen.has(next.digest)) continue
    seen.add(next.digest)
    required.push(next)
    try {
      await content.info(next.digest, { signal })
      const below = await readChildren(content, next, { documents, signal })
      pending.push(...(isIndex(next.mediaType) ? chooseManifests(below, platforms) : below))
      present.push(next)
    } catch (error) {
      if (!isNotFound(error)) throw error
      missing.push(next)
      unknown ||= next.digest === target.digest
    }
  }
  const status = unknown ? 'unavailable' : missing.length === 0 ? 'complete' : 'incomplete'
  return { status, required, present, missing }
}
