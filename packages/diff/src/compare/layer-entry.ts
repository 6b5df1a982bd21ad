import { timeParts } from '@nsbox/trees/walk'
import { whiteoutPrefix } from '../extract/whiteout.ts'
import type { ByteString } from '../tar/byte-string.ts'
import type { TarEntry } from '../tar/tar-entry.ts'
import type { Change } from './change.ts'
import type { ShownNode } from './tree-node.ts'

const noXattrs: ReadonlyMap<ByteString, Uint8Array> = new Map()

/** A whiteout: the empty file with which a layer removes a name. */
export function markerEntry({ kind, path }: Change): TarEntry {
  const slash = path.lastIndexOf('/')
  const name =
    kind === 'opaque'
      ? `${path === '' ? '' : `${path}/`}.wh..wh..opq`
      : `${path.slice(0, slash + 1)}${whiteoutPrefix}${path.slice(slash + 1)}`
  const mtime = { seconds: 0, nanoseconds: 0 }
  const owner = { mode: 0o644, uid: 0, gid: 0, size: 0, mtime, major: 0, minor: 0 }
  return { type: 'file', name, linkName: '', ...owner, xattrs: noXattrs }
}

/** The entry of an existing node. */
export function nodeEntry(
  path: ByteString,
  node: ShownNode,
  options: {
    /** Another name of the same file, which the layer has already. */
    readonly first: ByteString | undefined
    /** Latest time, in nanoseconds since 1970; later ones become this one. */
    readonly latest: bigint | undefined
  },
): TarEntry {
  const { type, device, mode, uid, gid } = node
  const { first, latest } = options
  const [seconds, nanoseconds] = timeParts(
    latest !== undefined && latest < node.mtimeNs ? latest : node.mtimeNs,
  )
  return {
    type: first === undefined ? type : 'hardlink',
    name: path === '' ? './' : type === 'directory' ? `${path}/` : path,
    linkName: first ?? node.target,
    mode,
    uid,
    gid,
    size: first === undefined ? node.size : 0,
    mtime: { seconds, nanoseconds },
    // The parts of a dev_t, as C libraries of Linux compute them.
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
    xattrs: first === undefined ? node.xattrs : noXattrs,
  }
}
