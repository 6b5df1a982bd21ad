/** Most backings that are remembered. */
const most = 1000

/**
 * Backings that only the server has written to since this process made them: they contain nothing but the applied
 * layer. Each is `untouched`, or the server is `applying` a layer to it.
 *
 * Not on disk: a later process cannot know who has written meanwhile. The oldest of very many are forgotten, and then
 * not shared.
 */
export class FreshBackings {
  readonly #states = new Map<number, 'untouched' | 'applying'>()

  /** Adds one that has just been made. */
  add(id: number): void {
    this.#states.set(id, 'untouched')
    if (this.#states.size > most) this.#states.delete(this.#states.keys().next().value!)
  }

  /** Called before the server applies a layer. @returns whether nothing was written before */
  beginApplying(id: number): boolean {
    if (this.#states.get(id) !== 'untouched') return false
    this.#states.set(id, 'applying')
    return true
  }

  /** Called when a layer has been applied. @returns whether only the server has written since the beginning */
  endApplying(id: number): boolean {
    const untouched = this.#states.get(id) === 'applying'
    this.#states.delete(id)
    return untouched
  }

  /** Called before others may write. @returns whether only the server could until now */
  forget(id: number): boolean {
    return this.#states.delete(id)
  }
}
