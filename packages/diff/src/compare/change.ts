import type { ByteString } from '../tar/byte-string.ts'
import type { ShownNode } from './tree-node.ts'

/** A change of one path, which is relative to the root; the root is the empty path. */
export type Change =
  /** Added or changed. */
  | { readonly kind: 'entry'; readonly path: ByteString; readonly node: ShownNode }
  /** Removed. */
  | { readonly kind: 'removed'; readonly path: ByteString }
  /** A directory of which all lower content is gone. */
  | { readonly kind: 'opaque'; readonly path: ByteString }

/** The parent directories of a path, up to the root. */
export function* directoriesAbove(path: ByteString): Generator<ByteString> {
  for (let rest = path; rest !== ''; ) {
    const slash = rest.lastIndexOf('/')
    rest = slash === -1 ? '' : rest.slice(0, slash)
    yield rest
  }
}

/** Sorts changes: a directory comes before its content, and all of that before its next sibling. */
export function inOrder(changes: Iterable<Change>): Change[] {
  return [...changes]
    .map((change) => ({
      change,
      key: `${change.path.replaceAll('/', '\0')}${change.kind === 'opaque' ? '\0' : ''}`,
    }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ change }) => change)
}
