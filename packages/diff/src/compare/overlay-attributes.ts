import type { ByteString } from '../tar/byte-string.ts'
import { mergedOnly } from './tree-error.ts'
import type { TreeNode } from './tree-node.ts'

/**
 * Attributes of overlayfs without effect on the content of a layer: where a file was copied from, that a directory has
 * such files, how many names a file has, which layers belong together, and flags that no layer represents.
 */
const notes = new Set<ByteString>(['impure', 'nlink', 'origin', 'protattr', 'upper', 'uuid'])

/** Whether a directory of an overlay's layer hides its content in the layers below. */
export function isOpaque(node: TreeNode): boolean {
  return node.overlay.has('opaque')
}

/**
 * @throws an error for which `isMergedOnly` is true, for all other attributes: those for content or files with another
 * name in the layers below (`metacopy`, `redirect`), and unknown ones
 */
export function checkOverlayAttributes(path: ByteString, { overlay }: TreeNode): void {
  for (const [name, value] of overlay) {
    if (notes.has(name) || (name === 'opaque' && Buffer.from(value).toString('latin1') === 'y')) continue
    throw mergedOnly(path, `has the attribute ${JSON.stringify(name)}`)
  }
}
