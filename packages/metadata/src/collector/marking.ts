import type { IngestLocks } from '@nsbox/core/content'
import type { Reader } from '@nsbox/sqlite'
import type { Ledger } from '../database/ledger.ts'
import type { Kind, Node } from '../database/node.ts'
import { rootRules } from '../database/roots.ts'
import type { CommitsUnderWay } from '../snapshots/commits-under-way.ts'

/** An object to collect. */
export interface Garbage {
  readonly kind: Exclude<Kind, 'container' | 'sandbox'>
  readonly id: string
}

/** How many rows one step reads: a few milliseconds at most. */
const rowsPerStep = 500

/** How far references of a node are followed: as far as they go, one step, or not at all. */
type Depth = 2 | 1 | 0

/**
 * An object of a namespace as the collector first reads it. If it refers to nothing then, it need not be followed:
 * writers of later references report what they lead to.
 */
type Row = readonly [id: string, root: number, flat: number, snapshotter: string, refers: number]

/** An object on the list. */
interface Listed extends Garbage {
  readonly refers: boolean
}

/** What is kept although the database does not say so. */
export interface InUse {
  readonly locks: IngestLocks
  readonly commits: CommitsUnderWay
}

interface MarkingOptions extends InUse {
  readonly ledger: Ledger
  readonly namespace: string
  /** Objects that expire at this time or before are no roots. */
  readonly now: number
}

/**
 * Finds what can be collected in a namespace (docs/behaviour.md §6), in steps between which writers run. Roots are
 * those of `rootRules`, ingests with a writer, and snapshots that are being committed. From there references are
 * followed, from a flat lease only one step, and parents of snapshots always. References never leave their namespace,
 * so each namespace is collected separately.
 *
 * First all objects are listed, then those that are kept are taken off the list. An object that is written meanwhile is
 * kept until the next collection, with all that it refers to: writers report it by `touch`. An object that is made
 * after the listing is not on the list. So whenever nothing is left to follow, everything on the list is garbage.
 *
 * The names of all objects on the list are in memory.
 */
export class Marking {
  readonly #options: MarkingOptions
  /** Objects that nothing keeps, as far as is known. */
  readonly #left = new Map<string, Listed>()
  /** Objects to return before others on the list, the last first. */
  readonly #first: Listed[] = []
  /** Objects that are kept, but whose references need not be followed. */
  readonly #unfollowed = new Set<string>()
  /** Objects with references `gc.bref`. They need not exist, and are followed nevertheless. */
  readonly #origins = new Set<string>()
  readonly #waiting: { readonly node: Node; readonly depth: Depth }[] = []

  constructor(options: MarkingOptions) {
    this.#options = options
  }

  get namespace(): string {
    return this.#options.namespace
  }

  /** Keeps an object that was written or is newly referred to, and all that it refers to. */
  touch(node: Node): void {
    this.#unfollowed.delete(keyOf(node))
    this.#waiting.push({ node, depth: 2 })
  }

  /** Lists the objects. Must be completed before anything is followed. */
  *list(): Generator<void, void, void> {
    const { now } = this.#options
    yield* this.#listKind('image', images, [now])
    yield* this.#listKind('lease', leases, [now])
    yield* this.#listKind('content', contents, [])
    yield* this.#listKind('ingest', ingests, [now])
    yield* this.#listKind('container', containers, [])
    yield* this.#listKind('sandbox', sandboxes, [])
    yield* this.#listSnapshots()
    yield* this.#listOrigins()
  }

  /** Follows references until nothing is left to follow. */
  *follow(): Generator<void, void, void> {
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      // It may have been listed after it was touched.
      this.#left.delete(keyOf(next.node))
      if (next.depth > 0) yield* this.#followReferences(next.node, next.depth === 1 ? 0 : 2)
      this.#followParent(next.node, next.depth)
      yield
    }
  }

  /**
   * The objects that nothing keeps, valid within this turn of the event loop. Each is taken off the list.
   * @returns undefined if there is something to follow first
   */
  garbage(): Iterable<Garbage> | undefined {
    this.#keepCommitting()
    return this.#waiting.length > 0 ? undefined : this.#take()
  }

  /** Whether something is on the list. */
  get hasGarbage(): boolean {
    return this.#left.size > 0
  }

  /**
   * Puts a snapshot back on the list, to be returned after another one that is based on it.
   * @returns false, without any change, if that other one is not on the list
   */
  takeBefore(snapshot: Garbage, child: Garbage): boolean {
    const next = this.#left.get(keyOf(child))
    if (next === undefined) return false
    const again = { ...snapshot, refers: true }
    this.#left.set(keyOf(snapshot), again)
    this.#first.push(again, next)
    return true
  }

  *#take(): Generator<Garbage, void, void> {
    const { namespace, locks } = this.#options
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#left.delete(keyOf(next))
      // A writer has come meanwhile, and will write its row again.
      if (next.kind !== 'ingest' || !locks.has(next.id, namespace)) yield next
    }
  }

  #next(): Garbage | undefined {
    for (let first = this.#first.pop(); first !== undefined; first = this.#first.pop())
      if (this.#left.has(keyOf(first))) return first
    for (const garbage of this.#left.values()) return garbage
    return undefined
  }

  *#listKind(
    kind: Exclude<Kind, `snapshot/${string}`>,
    sql: string,
    parameters: readonly number[],
  ): Generator<void, void, void> {
    const { ledger, namespace, locks } = this.#options
    for (let after = ''; ; ) {
      const read = (db: Reader) => db.rows<Row>(sql, ...parameters, namespace, after, rowsPerStep)
      const rows = ledger.peek(read)
      for (const [id, root, flat, , refers] of rows) {
        const isRoot = root === 1 || (kind === 'ingest' && locks.has(id, namespace))
        this.#listed({ kind, id }, { isRoot, depth: flat === 1 ? 1 : 2, refers: refers === 1 })
      }
      if (rows.length < rowsPerStep) return
      after = rows.at(-1)![0]
      yield
    }
  }

  *#listSnapshots(): Generator<void, void, void> {
    const { ledger, namespace } = this.#options
    for (let after: readonly [string, string] = ['', '']; ; ) {
      const read = (db: Reader) => db.rows<Row>(snapshots, namespace, ...after, rowsPerStep)
      const rows = ledger.peek(read)
      for (const [id, root, , snapshotter] of rows)
        this.#listed({ kind: `snapshot/${snapshotter}`, id }, { isRoot: root === 1, depth: 2, refers: true })
      if (rows.length < rowsPerStep) return
      const [name, , , snapshotter] = rows.at(-1)!
      after = [snapshotter, name]
      yield
    }
  }

  *#listOrigins(): Generator<void, void, void> {
    const { ledger, namespace } = this.#options
    for (let after: readonly [string, string, string, string] = ['', '', '', '']; ; ) {
      const read = (db: Reader) =>
        db.rows<[Kind, string, Kind, string]>(origins, namespace, ...after, rowsPerStep)
      const rows = ledger.peek(read)
      for (const [, , kind, id] of rows) this.#origins.add(keyOf({ kind, id }))
      if (rows.length < rowsPerStep) return
      after = rows.at(-1)!
      yield
    }
  }

  #listed(
    node: Node,
    { isRoot, depth, refers }: { readonly isRoot: boolean; readonly depth: Depth; readonly refers: boolean },
  ): void {
    if (!isRoot) this.#left.set(keyOf(node), { ...(node as Garbage), refers })
    else if (refers) this.#waiting.push({ node, depth })
  }

  *#followReferences({ kind, id }: Node, depth: Depth): Generator<void, void, void> {
    const { ledger, namespace } = this.#options
    for (let after: readonly [string, string] = ['', '']; ; ) {
      const read = (db: Reader) =>
        db.rows<[string, string]>(references, namespace, kind, id, ...after, rowsPerStep)
      const rows = ledger.peek(read)
      for (const [toKind, toId] of rows) this.#keep({ kind: toKind as Kind, id: toId }, depth)
      if (rows.length < rowsPerStep) return
      after = rows.at(-1)!
      yield
    }
  }

  #followParent({ kind, id }: Node, depth: Depth): void {
    if (!kind.startsWith('snapshot/')) return
    const { ledger, namespace } = this.#options
    const snapshotter = kind.slice('snapshot/'.length)
    const [row] = ledger.peek((db) => db.rows<[string | null]>(parent, namespace, snapshotter, id))
    if (row?.[0] != null) this.#keep({ kind, id: row[0] }, depth)
  }

  /** Takes an object off the list. If it is not on the list, it is kept already or does not exist. */
  #keep(node: Node, depth: Depth): void {
    const key = keyOf(node)
    const listed = this.#left.get(key)
    const wasLeft = this.#left.delete(key)
    if (listed?.refers === false) return
    if (depth > 0) {
      if (!wasLeft && !this.#unfollowed.delete(key) && !this.#origins.delete(key)) return
      this.#waiting.push({ node, depth })
    } else if (wasLeft) {
      this.#unfollowed.add(key)
      if (node.kind.startsWith('snapshot/')) this.#waiting.push({ node, depth })
    }
  }

  #keepCommitting(): void {
    const { ledger, namespace, commits } = this.#options
    for (const backing of commits.backings(namespace)) {
      const rows = ledger.peek((db) => db.rows<[string, string]>(ofBacking, backing, namespace))
      for (const [snapshotter, id] of rows) this.#keep({ kind: `snapshot/${snapshotter}`, id }, 2)
    }
  }
}

/** Kinds have no NUL. */
const keyOf = ({ kind, id }: Node): string => `${kind}\0${id}`

/** Reads the objects of one kind after an id, in the order of an index, as rows of the form `Row`. */
const listing = (kind: Exclude<keyof typeof rootRules, 'snapshot'>, refers = '1') => {
  const { table, id, root, flat } = rootRules[kind]
  return `
  SELECT ${id}, ${root}, ${flat}, '', ${refers} FROM ${table}
  WHERE namespace = ? AND ${id} > ? ORDER BY ${id} LIMIT ?`
}

const images = listing('image')
const leases = listing('lease')
const contents = listing(
  'content',
  `EXISTS (
    SELECT 1 FROM reference
    WHERE reference.namespace = content.namespace AND from_kind = 'content' AND from_id = digest
  )`,
)
const ingests = listing('ingest')
const containers = listing('container')
const sandboxes = listing('sandbox')
/** As the others, after a snapshotter and a name. */
const snapshots = `
  SELECT name, ${rootRules.snapshot.root}, ${rootRules.snapshot.flat}, snapshotter, 1 FROM snapshot
  WHERE namespace = ? AND (snapshotter, name) > (?, ?) ORDER BY snapshotter, name LIMIT ?`

const references = `
  SELECT to_kind, to_id FROM reference
  WHERE namespace = ? AND from_kind = ? AND from_id = ? AND (to_kind, to_id) > (?, ?)
  ORDER BY to_kind, to_id LIMIT ?`
const origins = `
  SELECT to_kind, to_id, from_kind, from_id FROM reference
  WHERE namespace = ? AND back = 1 AND (to_kind, to_id, from_kind, from_id) > (?, ?, ?, ?)
  ORDER BY to_kind, to_id, from_kind, from_id LIMIT ?`
const parent = 'SELECT parent FROM snapshot WHERE namespace = ? AND snapshotter = ? AND name = ?'
const ofBacking = 'SELECT snapshotter, name FROM snapshot WHERE backing = ? AND namespace = ?'
