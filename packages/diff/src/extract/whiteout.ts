import type { ByteString } from '../tar/byte-string.ts'
import { refused } from '../tar/tar-error.ts'

/**
 * The kind of an entry by its last component: an ordinary one, a whiteout of a name, an opaque whiteout of the
 * directory, or metadata of other file systems (OCI image specification, layer.md).
 */
export type WhiteoutKind =
  | { readonly kind: 'entry' }
  | { readonly kind: 'whiteout'; readonly hidden: ByteString }
  | { readonly kind: 'opaque' }
  | { readonly kind: 'meta' }

/** Prefix of whiteouts. */
export const whiteoutPrefix = '.wh.'
const metaPrefix = '.wh..wh.'
const entry: WhiteoutKind = { kind: 'entry' }
const meta: WhiteoutKind = { kind: 'meta' }

/** @throws `invalid_argument` for a whiteout without a name, of `.` or `..`, or in the middle of a path */
export function whiteoutKind(name: ByteString, path: readonly ByteString[]): WhiteoutKind {
  for (let index = 0; index < path.length - 1; index += 1) {
    const component = path[index]!
    if (!component.startsWith(whiteoutPrefix)) continue
    if (component.startsWith(metaPrefix)) return meta
    throw refused(name, 'a whiteout in the middle of a name')
  }
  const last = path[path.length - 1]
  if (last === undefined || !last.startsWith(whiteoutPrefix)) return entry
  if (last === '.wh..wh..opq') return { kind: 'opaque' }
  if (last.startsWith(metaPrefix)) return meta
  const hidden = last.slice(whiteoutPrefix.length)
  if (hidden === '' || hidden === '.' || hidden === '..') throw refused(name, 'a whiteout of no name')
  return { kind: 'whiteout', hidden }
}
