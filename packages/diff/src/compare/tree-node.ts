import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { isErrno } from '@nsbox/errors'
import { fileCalls } from '@nsbox/sys/files'
import { linkPath } from '../extract/directories.ts'
import { isKeptXattr } from '../extract/xattr-filter.ts'
import { fileRights } from '../ownership/file-rights.ts'
import { decodeOwner, type Owner, ownerAttribute } from '../ownership/recorded-owner.ts'
import type { ByteString } from '../tar/byte-string.ts'
import type { TarEntryType } from '../tar/tar-entry.ts'
import { changing, failedFile } from './tree-error.ts'

const { ENODATA, ENOTSUP } = constants.errno

type Xattrs = ReadonlyMap<ByteString, Uint8Array>

/** A file, directory or other node of a tree. */
export interface TreeNode {
  /** `whiteout` for a character device 0:0, which is a whiteout for overlayfs, so that no layer can represent it. */
  readonly type: Exclude<TarEntryType, 'hardlink'> | 'socket' | 'whiteout'
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of a file, else 0. */
  readonly size: number
  /** Bytes on the disk: fewer than its size if it has holes. */
  readonly stored: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** The number of a device, as in `stat`; otherwise 0. */
  readonly device: bigint
  /** Device and inode: the same for all names of a file. */
  readonly identity: string
  /** How many names the file has. */
  readonly links: number
  /** Of a symbolic link. */
  readonly target: ByteString
  /** Those that a layer can represent, sorted by name. */
  readonly xattrs: Xattrs
  /** Those of overlayfs, without their common prefix, if requested. */
  readonly overlay: Xattrs
}

/** Nodes that a layer can contain. */
export type ShownNode = TreeNode & { readonly type: Exclude<TarEntryType, 'hardlink'> }

const none: Xattrs = new Map()

export function isShown(node: TreeNode): node is ShownNode {
  return node.type !== 'socket' && node.type !== 'whiteout'
}

/**
 * Reads a name in an open directory, without following links.
 *
 * @param path for errors
 * @param overlayPrefix of the attributes that overlayfs keeps in its layers; they are not read by default
 * @returns undefined if there is none of that name
 */
export function readNode(
  directory: number,
  name: ByteString,
  path: ByteString,
  overlayPrefix?: string,
): TreeNode | undefined {
  const place = linkPath(directory, name)
  try {
    const stat = lstatSync(place, { bigint: true })
    const type = typeOf(stat)
    const { xattrs, overlay } = readXattrs(place.toString('latin1'), type, overlayPrefix)
    return {
      type,
      mode: Number(stat.mode & 0o7777n),
      ...ownerOf({ uid: Number(stat.uid), gid: Number(stat.gid) }, xattrs),
      size: type === 'file' ? Number(stat.size) : 0,
      stored: Number(stat.blocks) * 512,
      mtimeNs: stat.mtimeNs,
      ctimeNs: stat.ctimeNs,
      device: type === 'character' || type === 'block' ? stat.rdev : 0n,
      identity: `${stat.dev}:${stat.ino}`,
      links: Number(stat.nlink),
      target: type === 'symlink' ? readlinkSync(place, 'latin1') : '',
      xattrs,
      overlay,
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    // It was a symbolic link before and has changed.
    if (isErrno(error, 'EINVAL')) throw changing(path)
    throw failedFile(error, path)
  }
}

/**
 * The owner of a node. One that it could not be given is recorded in an attribute, which is taken away; it holds for as
 * long as the node belongs to this process, so for what nobody has given away since.
 */
function ownerOf(real: Owner, xattrs: Map<ByteString, Uint8Array>): Owner {
  const recorded = xattrs.get(ownerAttribute)
  const { limited, own } = fileRights()
  if (recorded === undefined || !limited) return real
  xattrs.delete(ownerAttribute)
  const owner = decodeOwner(recorded, real)
  return owner !== undefined && real.uid === own.uid && real.gid === own.gid ? owner : real
}

function readXattrs(
  path: ByteString,
  type: TreeNode['type'],
  overlayPrefix: string | undefined,
): { readonly xattrs: Map<ByteString, Uint8Array>; readonly overlay: Xattrs } {
  const names = fileCalls.llistxattr(path)
  if (names === -ENOTSUP || (typeof names !== 'number' && names.length === 0))
    return { xattrs: new Map(), overlay: none }
  if (typeof names === 'number') throw systemError('listxattr', names)
  const [xattrs, overlay] = [new Map<ByteString, Uint8Array>(), new Map<ByteString, Uint8Array>()]
  for (const name of [...names].sort()) {
    const own = overlayPrefix !== undefined && name.startsWith(overlayPrefix)
    if (!own && (type === 'socket' || type === 'whiteout' || !isKeptXattr(name, type, false))) continue
    const value = fileCalls.lgetxattr(path, name)
    if (value === -ENODATA) continue
    if (typeof value === 'number') throw systemError('getxattr', value)
    if (own) overlay.set(name.slice(overlayPrefix.length), value)
    else xattrs.set(name, value)
  }
  return { xattrs, overlay }
}

function systemError(call: string, result: number): Error {
  const code = getSystemErrorName(result)
  return Object.assign(new Error(`${call} ${code}`), { code })
}

function typeOf(stat: BigIntStats): TreeNode['type'] {
  if (stat.isFile()) return 'file'
  if (stat.isDirectory()) return 'directory'
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isCharacterDevice()) return stat.rdev === 0n ? 'whiteout' : 'character'
  if (stat.isBlockDevice()) return 'block'
  return stat.isFIFO() ? 'fifo' : 'socket'
}
