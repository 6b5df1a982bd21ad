import type { ByteString } from '../tar/byte-string.ts'
import type { ShownNode } from './tree-node.ts'

/** What a layer says of one name, which is relative to the root: the root is the empty one. */
export type Change =
  /** Is there, like this. */
  | { readonly kind: 'entry'; readonly path: ByteString; readonly node: ShownNode }
  /** Is there no more. */
  | { readonly kind: 'removed'; readonly path: ByteString }
  /** Is a directory that has nothing of what it held before. */
  | { readonly kind: 'opaque'; readonly path: ByteString }

/** The directory of a name, and so on up to the root; none above the root. */
export function* directoriesAbove(path: ByteString): Generator<ByteString> {
  for (let rest = path; rest !== ''; ) {
    const slash = rest.lastIndexOf('/')
    rest = slash === -1 ? '' : rest.slice(0, slash)
    yield rest
  }
}

/** Sorts changes: a directory comes before what it holds, and all of that before its next sibling. */
export function inOrder(changes: Iterable<Change>): Change[] {
  return [...changes]
    .map((change) => ({
      change,
      key: `${change.path.replaceAll('/', '\0')}${change.kind === 'opaque' ? '\0' : ''}`,
    }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ change }) => change)
}
