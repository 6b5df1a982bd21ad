import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { childGcLabels, type Descriptor, isLayer, isNonDistributable } from '@nsbox/oci'
import { readChildren } from '../documents/children.ts'
import { type ChosenChild, chooseChildren, type ImageChoice } from '../documents/choose-children.ts'
import { checkGraph, documentsBudget } from '../documents/walk.ts'
import { hasContent } from './has-content.ts'

/** Objects that `holdImage` has handled, for images that share content. */
export type HeldObjects = Set<string>

/** How to hold an image. */
export interface HoldImageOptions extends ImageChoice, AbortOptions {
  readonly content: ContentStore
  readonly held: HeldObjects
  /** Whether to include the layers; otherwise only the documents. */
  readonly layers: boolean
  /** Leave layers to the collector. */
  readonly discardLayers: boolean
}

/**
 * Checks that an image is complete for some platforms and labels its documents, so that the collector keeps its parts
 * together. Layers that may not be distributed may be missing.
 *
 * @throws `not_found` for content that is missing or an index without a manifest for the platforms, `data_loss` for
 * content of another size than in its descriptor; as `readChildren`
 */
export async function holdImage(root: Descriptor, options: HoldImageOptions): Promise<void> {
  const { content, held, discardLayers, signal } = options
  const documents = documentsBudget(root)
  const pending: Array<ChosenChild & { depth: number }> = [
    { descriptor: root, layers: options.layers, depth: 0 },
  ]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { descriptor, layers, depth } = next
    const { digest, mediaType } = descriptor
    // The same bytes may be a document in one place and a layer in another, and be needed with layers in one only.
    const key = `${mediaType} ${digest} ${layers}`
    if (held.has(key)) continue
    held.add(key)
    checkGraph(root.digest, depth, held.size)
    if (!(await hasContent(content, descriptor, root.digest, { signal })) && !isNonDistributable(mediaType))
      throw new NsboxError('not_found', `image ${root.digest}: content ${digest}`)
    const below = await readChildren(content, descriptor, { documents, signal })
    if (below.length === 0) continue
    const kept = discardLayers ? below.filter((child) => !isLayer(child.mediaType)) : below
    await content.update(digest, { merge: childGcLabels(kept) }, { signal })
    const chosen = chooseChildren(descriptor, below, { ...options, layers })
    for (const child of [...chosen].reverse()) pending.push({ ...child, depth: depth + 1 })
  }
}
