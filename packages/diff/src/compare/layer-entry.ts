import { whiteoutPrefix } from '../extract/whiteout.ts'
import type { ByteString } from '../tar/byte-string.ts'
import type { TarEntry, TarTime } from '../tar/tar-entry.ts'
import type { Change } from './change.ts'
import type { ShownNode } from './tree-node.ts'

const billion = 1_000_000_000n
const noXattrs: ReadonlyMap<ByteString, Uint8Array> = new Map()

/** The empty file that says in a layer that something is gone. */
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

/** What a layer says of something that is there. */
export function nodeEntry(
  path: ByteString,
  node: ShownNode,
  options: {
    /** The name that the layer has the same file under already. */
    readonly first: ByteString | undefined
    /** Nanoseconds since 1970 beyond which the time is cut. */
    readonly latest: bigint | undefined
  },
): TarEntry {
  const { type, device, mode, uid, gid } = node
  const { first, latest } = options
  return {
    type: first === undefined ? type : 'hardlink',
    name: path === '' ? './' : type === 'directory' ? `${path}/` : path,
    linkName: first ?? node.target,
    mode,
    uid,
    gid,
    size: first === undefined ? node.size : 0,
    mtime: timeOf(latest !== undefined && latest < node.mtimeNs ? latest : node.mtimeNs),
    // dev_t as the C libraries of Linux take it apart.
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
    xattrs: first === undefined ? node.xattrs : noXattrs,
  }
}

function timeOf(mtimeNs: bigint): TarTime {
  const nanoseconds = ((mtimeNs % billion) + billion) % billion
  return { seconds: Number((mtimeNs - nanoseconds) / billion), nanoseconds: Number(nanoseconds) }
}
