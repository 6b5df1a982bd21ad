/** Most milliseconds that count between two polls. */
const longest = 500

/**
 * A clock for polling. On a busy host, polls are late, and so is what they wait for: only a part of a long time between
 * two polls counts.
 */
export class AttendedTime {
  #last = performance.now()

  /** Milliseconds since the last poll, as far as they count. */
  look(): number {
    const now = performance.now()
    const passed = Math.min(now - this.#last, longest)
    this.#last = now
    return passed
  }
}
