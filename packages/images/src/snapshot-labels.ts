import type { Labels } from '@nsbox/core/labels'
import { labelKeys } from '@nsbox/oci'
import type { LayerLink } from './layer-chain.ts'

const inherited = 'containerd.io/snapshot/'

/** What says to a snapshotter how to map owners: that is up to the host, never to who made an image. */
const notForImages = new Set([`${inherited}uidmapping`, `${inherited}gidmapping`])

/**
 * The labels of a layer's snapshot (BEHAVIOUR.md §4, §5): the chain id that it is for, and what the layer's annotations
 * say to snapshotters.
 */
export function snapshotLabels({ layer, chainId }: Pick<LayerLink, 'layer' | 'chainId'>): Labels {
  const said = Object.entries(layer.annotations ?? {}).filter(
    ([key]) => key.startsWith(inherited) && !notForImages.has(key),
  )
  return { ...Object.fromEntries(said), [labelKeys.snapshotRef]: chainId }
}

/** Whether labels of a layer's snapshot say nothing but what concerns the image, so that it is the same without them. */
export function areImageLabels(labels: Labels): boolean {
  return Object.keys(labels).every(
    (key) => key === labelKeys.snapshotRef || (key.startsWith(inherited) && !notForImages.has(key)),
  )
}
