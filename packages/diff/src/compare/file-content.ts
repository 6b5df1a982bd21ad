import { type BigIntStats, closeSync, fstatSync, readSync } from 'node:fs'
import type { ByteString } from '../tar/byte-string.ts'
import type { OpenTree } from './open-in-tree.ts'
import { changing, failedFile } from './tree-error.ts'
import type { TreeNode } from './tree-node.ts'

const pieceSize = 256 * 1024

/**
 * Reads a file of a tree to its end.
 *
 * @param node the file as it was found before
 * @throws `aborted` if it has been replaced, or changes while it is read
 */
export function* fileContent(tree: OpenTree, path: ByteString, node: TreeNode): Generator<Buffer> {
  const fd = tree.open(path)
  try {
    checkUnchanged(path, node, fstatSync(fd, { bigint: true }))
    for (let offset = 0; offset < node.size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(pieceSize, node.size - offset))
      const length = read(fd, buffer, offset, path)
      if (length === 0) throw changing(path)
      offset += length
      yield buffer.subarray(0, length)
    }
    checkUnchanged(path, node, fstatSync(fd, { bigint: true }))
  } finally {
    closeSync(fd)
  }
}

function checkUnchanged(path: ByteString, node: TreeNode, stat: BigIntStats): void {
  const same =
    stat.isFile() &&
    `${stat.dev}:${stat.ino}` === node.identity &&
    Number(stat.size) === node.size &&
    stat.mtimeNs === node.mtimeNs &&
    stat.ctimeNs === node.ctimeNs
  if (!same) throw changing(path)
}

function read(fd: number, buffer: Buffer, offset: number, path: ByteString): number {
  try {
    return readSync(fd, buffer, 0, buffer.length, offset)
  } catch (error) {
    throw failedFile(error, path)
  }
}
