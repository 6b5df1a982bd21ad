/** An image by its namespace and name, with the digests of its layers. */
export interface Layered {
  readonly namespace: string
  readonly name: string
  readonly layers: readonly { readonly digest: string }[]
}

/** Images by the digest of a layer that they have. */
export type Sharing = ReadonlyMap<string, readonly Layered[]>

export function sharingOf(images: readonly Layered[]): Sharing {
  const sharing = new Map<string, Layered[]>()
  for (const image of images) {
    for (const digest of new Set(image.layers.map((layer) => layer.digest))) {
      const others = sharing.get(digest)
      if (others === undefined) sharing.set(digest, [image])
      else others.push(image)
    }
  }
  return sharing
}

/** The other images that have a layer. */
export function sharers(sharing: Sharing, digest: string, image: Layered): Layered[] {
  return (sharing.get(digest) ?? []).filter(
    ({ namespace, name }) => namespace !== image.namespace || name !== image.name,
  )
}
