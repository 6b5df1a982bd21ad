/** Most backings that are remembered. */
const most = 1000

/**
 * The backings that only the server has written to since this process made them: as long as that holds, a layer that is
 * applied is all that is in them. Each is `untouched`, or the server is `applying` a layer to it.
 *
 * Nothing of this is on disk: a later process cannot know who has written meanwhile. If the oldest of very many are
 * forgotten, they are only not shared.
 */
export class FreshBackings {
  readonly #states = new Map<number, 'untouched' | 'applying'>()

  /** Remembers one that has just been made. */
  add(id: number): void {
    this.#states.set(id, 'untouched')
    if (this.#states.size > most) this.#states.delete(this.#states.keys().next().value!)
  }

  /** The server is about to apply a layer. @returns whether nothing has been written before */
  beginApplying(id: number): boolean {
    if (this.#states.get(id) !== 'untouched') return false
    this.#states.set(id, 'applying')
    return true
  }

  /** A layer has been applied. @returns whether only the server has written since it was begun */
  endApplying(id: number): boolean {
    const untouched = this.#states.get(id) === 'applying'
    this.#states.delete(id)
    return untouched
  }

  /** Others may write from now on. @returns whether only the server could before */
  forget(id: number): boolean {
    return this.#states.delete(id)
  }
}
