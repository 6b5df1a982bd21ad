import { closeSync, fstatSync, readSync } from 'node:fs'
import { NsboxError } from '@nsbox/errors'
import { type LayerForm, opaqueXattr } from '../extract/layer-form.ts'
import { type ByteString, quotedName } from '../tar/byte-string.ts'
import type { TarEntry, TarTime } from '../tar/tar-entry.ts'
import { padding, tarHeader } from '../tar/write-header.ts'
import { type Change, treeChanges, upperChanges } from './changes.ts'
import { OpenTree } from './open-in-tree.ts'
import { scanTree, type TreeNode } from './scan-tree.ts'

/** What to make a layer of. */
export interface LayerSource {
  /** The tree as it is to be, or the upper directory of an overlay. */
  readonly upper: string
  /** `plain` to compare `upper` with `lower`; the forms of overlays to take what the upper directory says. */
  readonly form: LayerForm
  /** The tree as it was, for `plain`; nothing by default. */
  readonly lower?: string | undefined
  /** Seconds since 1970 beyond which no time of the layer lies; any time by default. */
  readonly sourceDateEpoch?: number | undefined
}

const chunkSize = 256 * 1024
const blockEnd = 1024
const noXattrs: ReadonlyMap<ByteString, Uint8Array> = new Map()

/**
 * Writes the difference of two trees as the archive of a layer, such that applying it to the lower tree gives the upper.
 * The same trees give the same bytes: entries are sorted, owners are numbers, and nothing of this machine or moment is
 * written. Both trees must be at rest.
 *
 * @throws `failed_precondition` for a name that begins with `.wh.`, which no layer can carry; `aborted` if a file
 * changes its size meanwhile
 */
export function* writeLayer(source: LayerSource): Generator<Buffer> {
  const { sourceDateEpoch = Number.POSITIVE_INFINITY } = source
  using files = new OpenTree(source.upper)
  const names = new Map<string, ByteString>()
  for (const change of changesOf(source, files)) {
    if (change.kind !== 'entry') {
      yield tarHeader(marker(change))
      continue
    }
    const { path, node } = change
    const inode = `${node.stat.dev}:${node.stat.ino}`
    const first = node.type !== 'directory' && node.stat.nlink > 1n ? names.get(inode) : undefined
    if (first === undefined) names.set(inode, path)
    const entry = entryOf(path, node, first, sourceDateEpoch)
    yield tarHeader(entry)
    if (entry.type === 'file') yield* contentOf(files, path, entry.size)
  }
  yield Buffer.alloc(blockEnd)
}

function changesOf({ upper, form, lower }: LayerSource, files: OpenTree): readonly Change[] {
  if (form !== 'plain') return upperChanges(scanTree(upper, opaqueXattr(form)))
  if (lower === undefined) return treeChanges(new Map(), scanTree(upper), { lower: files, upper: files })
  using below = new OpenTree(lower)
  return treeChanges(scanTree(lower), scanTree(upper), { lower: below, upper: files })
}

function marker({ kind, path }: Change): TarEntry {
  const slash = path.lastIndexOf('/')
  const name =
    kind === 'opaque'
      ? `${path === '' ? '' : `${path}/`}.wh..wh..opq`
      : `${path.slice(0, slash + 1)}.wh.${path.slice(slash + 1)}`
  const mtime = { seconds: 0, nanoseconds: 0 }
  const owner = { mode: 0o644, uid: 0, gid: 0, size: 0, mtime, major: 0, minor: 0 }
  return { type: 'file', name, linkName: '', ...owner, xattrs: noXattrs }
}

function entryOf(path: ByteString, node: TreeNode, first: ByteString | undefined, latest: number): TarEntry {
  const { stat, type } = node
  const device = type === 'character' || type === 'block' ? stat.rdev : 0n
  return {
    type: first === undefined ? type : 'hardlink',
    name: path === '' ? './' : type === 'directory' ? `${path}/` : path,
    linkName: first ?? node.target,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: type === 'file' && first === undefined ? Number(stat.size) : 0,
    mtime: timeOf(stat.mtimeNs, latest),
    // dev_t as the C libraries of Linux take it apart.
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)),
    minor: Number((device & 0xffn) | ((device >> 12n) & 0xffffff00n)),
    xattrs: first === undefined ? node.xattrs : noXattrs,
  }
}

function timeOf(mtimeNs: bigint, latest: number): TarTime {
  const nanoseconds = Number(((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)
  const seconds = Number((mtimeNs - BigInt(nanoseconds)) / 1_000_000_000n)
  return seconds >= latest ? { seconds: latest, nanoseconds: 0 } : { seconds, nanoseconds }
}

function* contentOf(files: OpenTree, path: ByteString, size: number): Generator<Buffer> {
  const fd = files.open(path)
  try {
    if (!fstatSync(fd).isFile()) throw changing(path)
    for (let offset = 0; offset < size; ) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkSize, size - offset))
      const length = readSync(fd, buffer, 0, buffer.length, offset)
      if (length === 0) throw changing(path)
      offset += length
      yield buffer.subarray(0, length)
    }
    if (fstatSync(fd).size !== size) throw changing(path)
  } finally {
    closeSync(fd)
  }
  yield padding(size)
}

function changing(path: ByteString): NsboxError {
  return new NsboxError('aborted', `${quotedName(path)} changes while a layer is made of it`)
}
