import type { ByteString } from '../tar/byte-string.ts'
import type { ShownNode, TreeNode } from './tree-node.ts'

/** A name of a file that has or had several names. */
export interface LinkedName {
  readonly path: ByteString
  readonly node: ShownNode
  /** The file of the lower tree under this name, if it is unchanged. */
  readonly same: TreeNode | undefined
}

interface Group {
  readonly names: LinkedName[]
  /** The file of the lower tree that all names belonged to, if all are unchanged. */
  lower: string | undefined
}

/**
 * Finds the names to list of files with several names. All names of a file are listed or none is, since a layer can
 * link only to its own entries.
 */
export class LinkGroups {
  readonly #groups = new Map<string, Group>()

  add(name: LinkedName): void {
    const lower = name.same?.identity
    const group = this.#groups.get(name.node.identity)
    if (group === undefined) this.#groups.set(name.node.identity, { names: [name], lower })
    else {
      group.names.push(name)
      if (group.lower !== lower) group.lower = undefined
    }
  }

  /**
   * The names to list. If the names of one file of the lower tree belong to several files now, those of the first are
   * not listed.
   */
  *changed(): Generator<LinkedName> {
    const kept = new Set<string>()
    for (const { names, lower } of this.#groups.values()) {
      if (lower !== undefined && !kept.has(lower)) kept.add(lower)
      else yield* names
    }
  }

  /** An unchanged file, of which the lower tree may have more names than were added. */
  unchanged(): LinkedName | undefined {
    for (const { names, lower } of this.#groups.values())
      if (lower !== undefined && names[0]!.same!.links > 1) return names[0]
    return undefined
  }
}
