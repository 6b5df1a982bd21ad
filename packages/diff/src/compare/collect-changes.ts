import { closeSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { ByteBudget } from '@nsbox/core/byte-budget'
import { nameLimits } from '../extract/name-limits.ts'
import { namesIn } from '../extract/remove-from-tree.ts'
import { whiteoutPrefix } from '../extract/whiteout.ts'
import type { ByteString } from '../tar/byte-string.ts'
import { type Change, directoriesAbove, inOrder } from './change.ts'
import { LinkGroups } from './link-groups.ts'
import { type OpenTree, openDirectoryIn } from './open-in-tree.ts'
import { checkOverlayAttributes, isOpaque } from './overlay-attributes.ts'
import { sameAttributes, sameContent } from './same-file.ts'
import { changing, failedFile, mergedOnly, noLayer } from './tree-error.ts'
import { isShown, readNode, type ShownNode, type TreeNode } from './tree-node.ts'

export interface CollectChangesOptions {
  readonly upper: OpenTree
  /** An empty tree by default. */
  readonly lower?: OpenTree | undefined
  /**
   * Prefix of the attributes of overlayfs, if the upper tree is only the topmost layer of an overlay on the lower tree;
   * by default it is the whole tree.
   */
  readonly overlayPrefix?: string | undefined
  /** Most bytes of names and attributes to keep in memory; 256 MiB by default. */
  readonly kept?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A directory of the upper tree, and that of the same name in the lower one. */
interface Pair {
  readonly path: ByteString
  readonly depth: number
  readonly upper: number
  readonly lower: number | undefined
  /** Whether names that the upper directory lacks were removed; otherwise they are in a layer below. */
  readonly whole: boolean
}

/** Bytes of the names and attributes of a layer: the same limit as where layers are applied. */
const maxKept = 256 * 1024 * 1024

// Number of names after which the event loop gets a turn and aborts are noticed.
const entriesPerTurn = 500

/**
 * Finds the changes from the lower tree to the upper one, in the order of a layer: added nodes, and those that differ
 * in anything that a layer can represent; the directories that contain such changes; and removals. The result is the
 * same whether the upper tree is given as a whole or as the topmost layer of an overlay.
 *
 * Links are not followed, and nothing on another file system is read. Sockets are left out, since no layer can
 * represent them.
 *
 * @throws `failed_precondition` for nodes that no layer can represent: names that begin with `.wh.` or are too long,
 * devices 0:0; also for a topmost layer that cannot be understood without mounting the overlay (see `isMergedOnly`);
 * `resource_exhausted` for a tree whose names and attributes are too much to keep in memory
 */
export async function collectChanges(options: CollectChangesOptions): Promise<readonly Change[]> {
  return await new Collector(options).collect()
}

class Collector {
  readonly #options: CollectChangesOptions
  readonly #changes = new Map<ByteString, Change>()
  readonly #opaque: Change[] = []
  readonly #directories = new Map<ByteString, ShownNode>()
  readonly #links = new LinkGroups()
  readonly #kept: ByteBudget
  #entries = 0

  constructor(options: CollectChangesOptions) {
    this.#options = options
    this.#kept = new ByteBudget('names in the tree', options.kept ?? maxKept)
  }

  async collect(): Promise<readonly Change[]> {
    const { upper, lower, overlayPrefix } = this.#options
    const whole = overlayPrefix === undefined
    const root = this.#read(upper.root, '.', '')
    if (root === undefined || !isShown(root)) throw changing('')
    const before = lower === undefined ? undefined : readNode(lower.root, '.', '')
    this.#directory('', root, before)
    await this.#walk({ path: '', depth: 0, upper: upper.root, lower: lower?.root, whole })
    const linked = whole ? undefined : this.#links.unchanged()
    if (linked !== undefined) throw mergedOnly(linked.path, 'is one of several names in the layers below')
    for (const { path, node } of this.#links.changed()) this.#list(path, node)
    this.#listAbove()
    return inOrder([...this.#changes.values(), ...this.#opaque])
  }

  async #walk(pair: Pair): Promise<void> {
    const { path, depth, lower, whole } = pair
    if (depth > nameLimits.depth) throw noLayer(path, 'it lies too deep')
    const present = new Set<ByteString>()
    const gone = new Set<ByteString>()
    for (const name of sortedNames(pair.upper, path)) {
      await this.#turn()
      const here = join(path, name)
      checkName(name, here)
      const node = this.#read(pair.upper, name, here)
      if (node === undefined) throw changing(here)
      const before = lower === undefined ? undefined : readNode(lower, name, here)
      if (isShown(node) || (node.type === 'socket' && before?.type === 'socket')) present.add(name)
      else if (isThere(before)) gone.add(name)
      if (!isShown(node)) continue
      if (node.type === 'directory') await this.#descend(pair, name, node, before)
      else this.#other(here, node, before)
    }
    if (lower !== undefined && (whole || gone.size > 1)) this.#missing(pair, lower, { present, gone })
    else for (const name of gone) this.#removed(join(path, name))
  }

  async #descend(pair: Pair, name: ByteString, node: ShownNode, before: TreeNode | undefined): Promise<void> {
    const path = join(pair.path, name)
    this.#directory(path, node, before)
    const upper = openDirectoryIn(pair.upper, name, path)
    try {
      const lower = before?.type === 'directory' ? openDirectoryIn(pair.lower!, name, path) : undefined
      try {
        await this.#walk({ path, depth: pair.depth + 1, upper, lower, whole: pair.whole || isOpaque(node) })
      } finally {
        if (lower !== undefined) closeSync(lower)
      }
    } finally {
      closeSync(upper)
    }
  }

  #directory(path: ByteString, node: ShownNode, before: TreeNode | undefined): void {
    this.#keep(path, node)
    this.#directories.set(path, node)
    if (before === undefined || !sameAttributes(before, node)) this.#list(path, node)
  }

  #other(path: ByteString, node: ShownNode, before: TreeNode | undefined): void {
    const same = before !== undefined && this.#isSame(path, before, node) ? before : undefined
    const linked = node.links > 1 || (same !== undefined && same.links > 1)
    if (!linked && same !== undefined) return
    this.#keep(path, node)
    if (linked) this.#links.add({ path, node, same })
    else this.#list(path, node)
  }

  #isSame(path: ByteString, before: TreeNode, node: TreeNode): boolean {
    if (!sameAttributes(before, node)) return false
    if (node.type !== 'file' || before.identity === node.identity) return true
    return sameContent(path, this.#options.lower!, this.#options.upper)
  }

  /** Lists names that only the lower directory has, as one opaque directory if nothing is left. */
  #missing(
    { path, whole }: Pair,
    lower: number,
    { present, gone }: { readonly present: ReadonlySet<ByteString>; readonly gone: Set<ByteString> },
  ): void {
    const there = sortedNames(lower, path).filter((name) => isThere(readNode(lower, name, join(path, name))))
    if (whole) for (const name of there) if (!present.has(name)) gone.add(name)
    // Never for the root: overlayfs does not check whether the root of a layer is opaque.
    if (path !== '' && gone.size > 1 && gone.size === there.length) {
      this.#kept.take(path.length)
      this.#opaque.push({ kind: 'opaque', path })
    } else for (const name of gone) this.#removed(join(path, name))
  }

  /** Applying a change sets the modification time of its directory, so the directory needs an entry as well. */
  #listAbove(): void {
    const above = new Set<ByteString>()
    for (const { path } of this.#opaque) for (const each of [path, ...directoriesAbove(path)]) above.add(each)
    for (const path of this.#changes.keys())
      if (path !== '') for (const each of directoriesAbove(path)) above.add(each)
    for (const path of above) if (!this.#changes.has(path)) this.#list(path, this.#directories.get(path)!)
  }

  #list(path: ByteString, node: ShownNode): void {
    this.#changes.set(path, { kind: 'entry', path, node })
  }

  #keep(path: ByteString, { target, xattrs }: ShownNode): void {
    let bytes = path.length + target.length
    for (const [attribute, value] of xattrs) bytes += attribute.length + value.byteLength
    this.#kept.take(bytes)
  }

  #removed(path: ByteString): void {
    this.#kept.take(path.length)
    this.#changes.set(path, { kind: 'removed', path })
  }

  #read(directory: number, name: ByteString, path: ByteString): TreeNode | undefined {
    const { overlayPrefix } = this.#options
    const node = readNode(directory, name, path, overlayPrefix)
    if (node === undefined) return undefined
    if (overlayPrefix !== undefined) checkOverlayAttributes(path, node)
    else if (node.type === 'whiteout') throw noLayer(path, 'it is a device 0:0')
    return node
  }

  async #turn(): Promise<void> {
    this.#entries += 1
    if (this.#entries % entriesPerTurn !== 0) return
    await setImmediate()
    this.#options.signal?.throwIfAborted()
  }
}

function join(path: ByteString, name: ByteString): ByteString {
  return path === '' ? name : `${path}/${name}`
}

function sortedNames(directory: number, path: ByteString): ByteString[] {
  try {
    const names: ByteString[] = []
    // All names are collected first, since a layer has them sorted.
    const kept = new ByteBudget('names in one directory', maxKept)
    for (const name of namesIn(directory)) {
      kept.take(name.length)
      names.push(name)
    }
    return names.sort()
  } catch (error) {
    throw failedFile(error, path)
  }
}

function checkName(name: ByteString, path: ByteString): void {
  if (name.startsWith(whiteoutPrefix)) throw noLayer(path, 'a name like that means a removal there')
  if (path.length > nameLimits.name) throw noLayer(path, `its name has ${path.length} bytes`)
}

/** Whether the lower tree has a node with this name. */
function isThere(node: TreeNode | undefined): boolean {
  return node !== undefined && node.type !== 'whiteout'
}
