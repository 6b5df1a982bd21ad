import type { AbortOptions } from '@nsbox/core/content'
import type { Image, ImageStore } from '@nsbox/core/images'
import type { ImageEndpoint, ImageReference } from '@nsbox/core/transfer'
import { NsboxError, quoted } from '@nsbox/errors'
import { beginsWith } from '@nsbox/images'

/**
 * The images that a source names: by its own name and by its references, once each and in their order. A prefix stands
 * for the images that an import with the same prefix may make: those whose names go on after it with a part, a tag or,
 * if it adds digests, a digest. With `skipNamedDigest`, images named by digest are left out that have another of these
 * names.
 *
 * @throws `not_found` for a name that no image has, and for a prefix that none begins with; as
 * `ImageStore.list`
 */
export async function findImages(
  images: Pick<ImageStore, 'get' | 'list'>,
  { name, references = [] }: Pick<ImageEndpoint, 'name' | 'references'>,
  { signal }: AbortOptions,
): Promise<Image[]> {
  const found = new Map<string, Image>()
  const all: readonly ImageReference[] = name === '' ? references : [{ name }, ...references]
  const candidates = all.some(({ isPrefix }) => isPrefix) ? await images.list([], { signal }) : []
  for (const reference of all) {
    const matches = reference.isPrefix
      ? withPrefix(candidates, reference)
      : [await images.get(reference.name, { signal })]
    for (const image of matches) found.set(image.name, image)
  }
  return [...found.values()]
}

function withPrefix(
  candidates: readonly Image[],
  { name: prefix, addDigest = false, skipNamedDigest = false }: ImageReference,
): Image[] {
  const matching = candidates.filter(({ name }) => beginsWith(name, prefix))
  const named = matching.filter(({ name }) => !name.includes('@'))
  const digests = new Set(named.map(({ target }) => target.digest))
  const chosen = matching.filter(({ name, target }) => {
    return !name.includes('@') || (addDigest && !(skipNamedDigest && digests.has(target.digest)))
  })
  if (chosen.length === 0) throw new NsboxError('not_found', `image whose name begins with ${quoted(prefix)}`)
  return chosen
}
