/** One entry of a tree, as text: trees are equal if all their entries are. */
export interface TreeEntry {
  readonly type: string
  readonly mode: string
  readonly uid: number
  readonly gid: number
  /** Bytes; of files only. */
  readonly size?: number
  /** Nanoseconds since 1970. */
  readonly mtime: string
  readonly target?: string
  readonly device?: string
  /** SHA-256 of a file's content. */
  readonly content?: string
  /** All names of the same file, where it has several. */
  readonly links?: string
  /** Extended attributes, each `name=base64`. */
  readonly xattrs?: string
}

/** The fields in which entries differ, each as `name: field: A, B`; a name that one tree lacks is `name: only in A`. */
export function compareTrees(
  a: ReadonlyMap<string, TreeEntry>,
  b: ReadonlyMap<string, TreeEntry>,
  options: { readonly ignore?: (name: string, field: keyof TreeEntry) => boolean } = {},
): string[] {
  const differences: string[] = []
  for (const name of [...new Set([...a.keys(), ...b.keys()])].sort()) {
    const [left, right] = [a.get(name), b.get(name)]
    if (left === undefined || right === undefined) {
      differences.push(`${name}: only in ${left === undefined ? 'the second' : 'the first'}`)
      continue
    }
    for (const field of new Set([...Object.keys(left), ...Object.keys(right)]) as Set<keyof TreeEntry>)
      if (left[field] !== right[field] && !options.ignore?.(name, field))
        differences.push(`${name}: ${field}: ${left[field]}, ${right[field]}`)
  }
  return differences
}
