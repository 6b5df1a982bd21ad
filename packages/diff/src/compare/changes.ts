import { closeSync, readSync } from 'node:fs'
import type { ByteString } from '../tar/byte-string.ts'
import type { OpenTree } from './open-in-tree.ts'
import type { Tree, TreeNode } from './scan-tree.ts'

/** What a layer says of one name, in the layer's order. */
export type Change =
  | { readonly kind: 'entry'; readonly path: ByteString; readonly node: TreeNode }
  | { readonly kind: 'removed' | 'opaque'; readonly path: ByteString }

/** All that an overlay's upper directory says. */
export function upperChanges(upper: Tree): readonly Change[] {
  const changes: Change[] = []
  for (const [path, node] of upper) {
    if (node.type === 'character' && node.stat.rdev === 0n) changes.push({ kind: 'removed', path })
    else changes.push({ kind: 'entry', path, node })
    if (node.opaque) changes.push({ kind: 'opaque', path })
  }
  return changes
}

/** What makes the upper tree of the lower one: what is new or differs in anything a layer can carry, and what is gone. */
export function treeChanges(
  lower: Tree,
  upper: Tree,
  files: { lower: OpenTree; upper: OpenTree },
): readonly Change[] {
  const [lowerLinks, upperLinks] = [linkGroups(lower), linkGroups(upper)]
  const changed = new Set<ByteString>()
  for (const [path, node] of upper) {
    const before = lower.get(path)
    const same =
      before !== undefined &&
      sameAttributes(before, node) &&
      lowerLinks.get(path)?.join('\0') === upperLinks.get(path)?.join('\0') &&
      (node.type !== 'file' || sameContent(path, before, node, files))
    if (same) continue
    changed.add(path)
    // Names of one file go together, since a layer links to what it holds itself only.
    for (const name of upperLinks.get(path) ?? []) changed.add(name)
  }
  const removed = [...lower.keys()].filter(
    (path) => !upper.has(path) && upper.get(parentOf(path))?.type === 'directory',
  )
  // A change touches the time of the directory it is in, which the directory's own entry sets again.
  const parents = new Set([...changed, ...removed].filter((path) => path !== '').flatMap(directoriesAbove))
  const changes: Change[] = [
    ...[...new Set([...changed, ...parents])].map(
      (path): Change => ({ kind: 'entry', path, node: upper.get(path)! }),
    ),
    ...removed.map((path): Change => ({ kind: 'removed', path })),
  ]
  return changes.sort((a, b) => comparePaths(a.path, b.path))
}

/** The names of each file that has several, by each of them, sorted. */
function linkGroups(tree: Tree): ReadonlyMap<ByteString, readonly ByteString[]> {
  const files = new Map<string, ByteString[]>()
  for (const [path, { type, stat }] of tree) {
    if (type === 'directory' || stat.nlink < 2n) continue
    const key = `${stat.dev}:${stat.ino}`
    const names = files.get(key)
    if (names === undefined) files.set(key, [path])
    else names.push(path)
  }
  const groups = new Map<ByteString, readonly ByteString[]>()
  for (const names of files.values())
    if (names.length > 1) for (const name of names.sort()) groups.set(name, names)
  return groups
}

function sameAttributes(a: TreeNode, b: TreeNode): boolean {
  const [x, y] = [a.stat, b.stat]
  return (
    a.type === b.type &&
    x.mode === y.mode &&
    x.uid === y.uid &&
    x.gid === y.gid &&
    x.rdev === y.rdev &&
    x.mtimeNs === y.mtimeNs &&
    (a.type !== 'file' || x.size === y.size) &&
    a.target === b.target &&
    a.xattrs.size === b.xattrs.size &&
    [...a.xattrs].every(([name, value]) => {
      const other = b.xattrs.get(name)
      return other !== undefined && Buffer.compare(value, other) === 0
    })
  )
}

function sameContent(
  path: ByteString,
  before: TreeNode,
  node: TreeNode,
  files: { lower: OpenTree; upper: OpenTree },
): boolean {
  if (before.stat.dev === node.stat.dev && before.stat.ino === node.stat.ino) return true
  const a = files.lower.open(path)
  try {
    const b = files.upper.open(path)
    try {
      const [left, right] = [Buffer.alloc(65536), Buffer.alloc(65536)]
      for (let offset = 0; ; ) {
        const [m, n] = [
          readSync(a, left, 0, left.length, offset),
          readSync(b, right, 0, right.length, offset),
        ]
        if (m !== n || left.compare(right, 0, n, 0, m) !== 0) return false
        if (m === 0) return true
        offset += m
      }
    } finally {
      closeSync(b)
    }
  } finally {
    closeSync(a)
  }
}

function directoriesAbove(path: ByteString): readonly ByteString[] {
  const parts = path.split('/')
  return parts.map((_, depth) => parts.slice(0, depth).join('/'))
}

function parentOf(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '' : path.slice(0, slash)
}

/** A directory before what it holds, and all of that before its next sibling. */
function comparePaths(a: ByteString, b: ByteString): number {
  const [x, y] = [a.replaceAll('/', '\0'), b.replaceAll('/', '\0')]
  return x < y ? -1 : x > y ? 1 : 0
}
