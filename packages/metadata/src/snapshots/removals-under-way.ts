import type { BackingRef } from '../database/unused.ts'

/**
 * The snapshots that are being removed from their snapshotters. No namespace may come to have one of them: only a
 * snapshotter of another process has any that namespaces can find there by themselves.
 */
export class RemovalsUnderWay {
  readonly #removals = new Set<string>()

  has(snapshot: BackingRef): boolean {
    return this.#removals.has(idOf(snapshot))
  }

  /** Notes a removal until what is returned is disposed of. */
  begin(snapshot: BackingRef): Disposable {
    const id = idOf(snapshot)
    this.#removals.add(id)
    return { [Symbol.dispose]: () => this.#removals.delete(id) }
  }
}

const idOf = ({ snapshotter, key }: BackingRef) => `${snapshotter}/${key}`
