import { NsboxError, shownName } from '@nsbox/errors'

/** The refs that are in use, and since when. */
export class RefLocks {
  readonly #held = new Map<string, number>()

  /**
   * Takes a ref until what is returned is disposed of, which may happen more than once.
   * @param now milliseconds since the epoch
   * @throws `unavailable` if it is taken
   */
  acquire(ref: string, now: number): Disposable {
    const since = this.#held.get(ref)
    if (since !== undefined) {
      const seconds = Math.max(0, now - since) / 1000
      throw new NsboxError(
        'unavailable',
        `ref ${shownName(ref)} locked for ${seconds}s (since ${new Date(since).toISOString()})`,
      )
    }
    this.#held.set(ref, now)
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (held) this.#held.delete(ref)
        held = false
      },
    }
  }
}
