import { writeFile } from 'node:fs/promises'
import { type AppliedTree, applyLayer } from '../apply/apply-layer.ts'
import type { LayerSource } from '../compare/layer-source.ts'
import { writeLayer } from '../compare/write-layer.ts'
import type { LayerForm } from '../extract/layer-form.ts'

/** A whole layer in memory. */
export async function layerBytes(source: LayerSource): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of writeLayer(source)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Applies such a layer to a directory, and writes its file beside that. */
export async function applyBytes(
  bytes: Buffer,
  root: string,
  form: LayerForm = 'plain',
): Promise<AppliedTree> {
  const path = `${root}.layer`
  await writeFile(path, bytes)
  const mediaType = 'application/vnd.oci.image.layer.v1.tar'
  return await applyLayer({ layer: { path, size: bytes.length }, mediaType, root, form })
}
