import { type BigIntStats, closeSync, constants, lstatSync, openSync, readlinkSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'
import { fileCalls, resolveFlags } from '@nsbox/sys/files'
import { linkPath } from '../extract/directories.ts'
import { checkResult } from '../extract/file-result.ts'
import { namesIn } from '../extract/remove-tree.ts'
import { isKeptXattr } from '../extract/xattr-filter.ts'
import { type ByteString, quotedName } from '../tar/byte-string.ts'
import type { TarEntryType } from '../tar/tar-entry.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
const { noMagicLinks, noCrossing } = resolveFlags

/** What a tree has under one name. */
export interface TreeNode {
  readonly type: TarEntryType
  readonly stat: BigIntStats
  readonly target: ByteString
  /** Those that a layer can carry, sorted by name. */
  readonly xattrs: ReadonlyMap<ByteString, Uint8Array>
  /** A directory of an overlay's upper layer that hides the lower ones'. */
  readonly opaque: boolean
}

/** A tree by names relative to its root, which is the empty one; a directory comes before what it holds. */
export type Tree = ReadonlyMap<ByteString, TreeNode>

/**
 * Reads a tree without following links or leaving its file system. Sockets are left out: no layer can carry them.
 *
 * @param opaqueXattr the attribute that marks opaque directories, in an overlay's upper directory
 * @throws `failed_precondition` for a name that a layer would give another meaning (`.wh.…`)
 */
export function scanTree(root: string, opaqueXattr?: string): Tree {
  const tree = new Map<ByteString, TreeNode>()
  const fd = openSync(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    const self = linkPath(fd, '.')
    const node = readNode(self, opaqueXattr)
    if (node !== undefined) tree.set('', node)
    scan(fd, '', tree, opaqueXattr)
  } finally {
    closeSync(fd)
  }
  return tree
}

function scan(
  fd: number,
  path: ByteString,
  tree: Map<ByteString, TreeNode>,
  opaqueXattr: string | undefined,
): void {
  for (const name of [...namesIn(fd)].sort()) {
    const here = path === '' ? name : `${path}/${name}`
    if (name.startsWith('.wh.'))
      throw new NsboxError(
        'failed_precondition',
        `${quotedName(here)} cannot be in a layer, where it means a removal`,
      )
    const node = readNode(linkPath(fd, name), opaqueXattr)
    if (node === undefined) continue
    tree.set(here, node)
    if (node.type !== 'directory') continue
    const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
    const below = checkResult(fileCalls.openat2(fd, name, flags, 0, noMagicLinks | noCrossing), 'open', here)
    try {
      scan(below, here, tree, opaqueXattr)
    } finally {
      closeSync(below)
    }
  }
}

function readNode(path: Buffer, opaqueXattr: string | undefined): TreeNode | undefined {
  const stat = lstatSync(path, { bigint: true })
  const type = typeOf(stat)
  if (type === undefined) return undefined
  const name = path.toString('latin1')
  const names = fileCalls.llistxattr(name)
  const attributes = typeof names === 'number' ? [] : [...names].sort()
  const xattrs = new Map<ByteString, Uint8Array>()
  for (const attribute of attributes) {
    if (!isKeptXattr(attribute, type, false)) continue
    const value = fileCalls.lgetxattr(name, attribute)
    if (typeof value !== 'number') xattrs.set(attribute, value)
  }
  return {
    type,
    stat,
    target: type === 'symlink' ? readlinkSync(path, 'latin1') : '',
    xattrs,
    opaque: type === 'directory' && opaqueXattr !== undefined && attributes.includes(opaqueXattr),
  }
}

function typeOf(stat: BigIntStats): TarEntryType | undefined {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isCharacterDevice()) return 'character'
  if (stat.isBlockDevice()) return 'block'
  return stat.isFIFO() ? 'fifo' : undefined
}
