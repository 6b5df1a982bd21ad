import type { Labels } from '@nsbox/core/labels'
import { labelKeys } from '@nsbox/oci'
import type { LayerLink } from '../documents/layer-chain.ts'

const inherited = 'containerd.io/snapshot/'

/** Labels that map owners, which an image must not set. */
const notForImages = new Set([`${inherited}uidmapping`, `${inherited}gidmapping`])

/**
 * The labels of a layer's snapshot (docs/behaviour.md §4, §5): its chain id, and the layer's annotations for
 * snapshotters.
 */
export function snapshotLabels({ layer, chainId }: Pick<LayerLink, 'layer' | 'chainId'>): Labels {
  const said = Object.entries(layer.annotations ?? {}).filter(
    ([key]) => key.startsWith(inherited) && !notForImages.has(key),
  )
  return { ...Object.fromEntries(said), [labelKeys.snapshotRef]: chainId }
}

/** Whether a layer's snapshot has only labels of the image, so that it is the same for every client. */
export function areImageLabels(labels: Labels): boolean {
  return Object.keys(labels).every(
    (key) => key === labelKeys.snapshotRef || (key.startsWith(inherited) && !notForImages.has(key)),
  )
}
