import { closeSync, readSync } from 'node:fs'
import type { ByteString } from '../tar/byte-string.ts'
import type { OpenTree } from './open-in-tree.ts'
import type { TreeNode } from './tree-node.ts'

const pieceSize = 64 * 1024

/**
 * Whether two files have the same attributes, as far as a layer can represent them. Content and links are not compared.
 */
export function sameAttributes(a: TreeNode, b: TreeNode): boolean {
  return (
    a.type === b.type &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.device === b.device &&
    a.mtimeNs === b.mtimeNs &&
    a.size === b.size &&
    a.target === b.target &&
    a.xattrs.size === b.xattrs.size &&
    [...a.xattrs].every(([name, value]) => {
      const other = b.xattrs.get(name)
      return other !== undefined && Buffer.compare(value, other) === 0
    })
  )
}

/**
 * Whether two files have the same bytes. Equal times do not prove it: programs set them, and many files of images have
 * whole seconds.
 */
export function sameContent(path: ByteString, lower: OpenTree, upper: OpenTree): boolean {
  const a = lower.open(path)
  try {
    const b = upper.open(path)
    try {
      return sameBytes(a, b)
    } finally {
      closeSync(b)
    }
  } finally {
    closeSync(a)
  }
}

function sameBytes(a: number, b: number): boolean {
  const [left, right] = [Buffer.allocUnsafe(pieceSize), Buffer.allocUnsafe(pieceSize)]
  for (let offset = 0; ; ) {
    const length = readSync(a, left, 0, pieceSize, offset)
    if (length !== readSync(b, right, 0, pieceSize, offset)) return false
    if (length === 0) return true
    if (left.compare(right, 0, length, 0, length) !== 0) return false
    offset += length
  }
}
