import { ByteBudget } from '@nsbox/core/byte-budget'
import { type AbortOptions, type ContentReader, maxIndexDepth } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import type { Descriptor } from '@nsbox/oci'
import { readChildren } from './children.ts'

/** How many different objects an image may have. */
export const maxObjects = 65_536

/** @throws `invalid_argument` for an image that is nested too deep or has too many objects */
export function checkGraph(image: string, depth: number, objects: number): void {
  if (depth > maxIndexDepth || objects > maxObjects)
    throw new NsboxError('invalid_argument', `image ${image}: too deep or too many objects`)
}

/** For the bytes of all documents of an image: 64 MiB, where those of the largest images have one. */
export function documentsBudget(root: Descriptor): ByteBudget {
  return new ByteBudget(`documents of image ${root.digest}`, 64 * 1024 * 1024)
}

/**
 * Visits a descriptor and everything below it that is present, parents before children, each digest once.
 *
 * @throws `invalid_argument` for a graph that is too deep or too wide, `resource_exhausted` for documents of more than
 * 64 MiB in all; as `readChildren`
 */
export async function* walkImage(
  content: Pick<ContentReader, 'read'>,
  root: Descriptor,
  options: AbortOptions = {},
): AsyncGenerator<Descriptor, void, undefined> {
  const seen = new Set<string>()
  const documents = documentsBudget(root)
  const level: Array<{ descriptor: Descriptor; depth: number }> = [{ descriptor: root, depth: 0 }]
  for (let next = level.pop(); next !== undefined; next = level.pop()) {
    const { descriptor, depth } = next
    if (seen.has(descriptor.digest)) continue
    seen.add(descriptor.digest)
    checkGraph(root.digest, depth, seen.size)
    yield descriptor
    const below = await readChildren(content, descriptor, { documents, ...options })
    for (const child of [...below].reverse()) level.push({ descriptor: child, depth: depth + 1 })
  }
}
