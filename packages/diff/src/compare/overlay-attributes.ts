import type { ByteString } from '../tar/byte-string.ts'
import { mergedOnly } from './tree-error.ts'
import type { TreeNode } from './tree-node.ts'

/**
 * What overlayfs notes in its layers without changing what they say: where a file was copied from, that a directory has
 * such files, how many names a file has, which layers belong together, and flags that no layer carries.
 */
const notes = new Set<ByteString>(['impure', 'nlink', 'origin', 'protattr', 'upper', 'uuid'])

/** Whether a directory of an overlay's layer hides what the layers below have in it. */
export function isOpaque(node: TreeNode): boolean {
  return node.overlay.has('opaque')
}

/**
 * @throws an error that `isMergedOnly` knows, for an attribute that says something else: that the content or the files
 * below are found under another name in the layers below (`metacopy`, `redirect`), or what this version does not know
 */
export function checkOverlayAttributes(path: ByteString, { overlay }: TreeNode): void {
  for (const [name, value] of overlay) {
    if (notes.has(name) || (name === 'opaque' && Buffer.from(value).toString('latin1') === 'y')) continue
    throw mergedOnly(path, `has the attribute ${JSON.stringify(name)}`)
  }
}
