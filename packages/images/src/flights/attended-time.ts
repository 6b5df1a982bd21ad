/** Most milliseconds from one look to the next that count. */
const longest = 500

/**
 * A clock for polling. If polls are late because the host is busy, so is what they wait for: of a long time between two
 * polls only a part counts.
 */
export class AttendedTime {
  #last = performance.now()

  /** Milliseconds since the last look, as far as they count. */
  look(): number {
    const now = performance.now()
    const passed = Math.min(now - this.#last, longest)
    this.#last = now
    return passed
  }
}
