import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { applyLayer } from '@nsbox/diff'
import { readTree, scratchMount, type TreeEntry } from '@nsbox/testing'

/**
 * The tree of an image made by applying one layer after the other to one directory: every other way must have the same
 * result.
 */
export async function sequentialTree({
  layers,
}: {
  readonly layers: readonly { readonly tar: Uint8Array }[]
}): Promise<ReadonlyMap<string, TreeEntry>> {
  await using scratch = await scratchMount()
  const root = join(scratch.path, 'root')
  await mkdir(root, { mode: 0o755 })
  for (const [index, { tar }] of layers.entries()) {
    const path = join(scratch.path, `layer-${index}`)
    await writeFile(path, tar)
    const layer = { path, size: tar.length }
    await applyLayer({ layer, mediaType: 'application/vnd.oci.image.layer.v1.tar', root, form: 'plain' })
  }
  return await readTree(root)
}
