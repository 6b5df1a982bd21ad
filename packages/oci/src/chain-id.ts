import { type Digest, digestOf } from './digest.ts'

/**
 * The chain id of every prefix of `diffIds`, lowest layer first (OCI image specification, config.md, "Layer ChainID"):
 * the name of the file tree of the layers up to that one. One for each diff id.
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = []
  let parent: Digest | undefined
  for (const diffId of diffIds) {
    parent = nextChainId(parent, diffId)
    chain.push(parent)
  }
  return chain
}

/** The chain id of a layer with the given diff id on top of `parent`; of a lowest layer without `parent`. */
export function nextChainId(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`)
}
