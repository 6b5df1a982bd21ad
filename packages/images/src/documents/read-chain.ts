import { type AbortOptions, type ContentReader, readImageConfig } from '@nsbox/core/content'
import type { Manifest } from '@nsbox/oci'
import { type LayerLink, layerChain } from './layer-chain.ts'

/**
 * The layers of an image, lowest first, with their snapshots, from its manifest and config.
 *
 * @throws `not_found` if the config is absent; the errors of `layerChain` and of reading
 */
export async function readChain(
  content: Pick<ContentReader, 'read'>,
  manifest: Pick<Manifest, 'config' | 'layers'>,
  { signal }: AbortOptions = {},
): Promise<LayerLink[]> {
  return layerChain(manifest, await readImageConfig(content, manifest.config, { signal }))
}
