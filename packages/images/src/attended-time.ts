/** Most milliseconds from one look to the next that count. */
const longest = 500

/**
 * Time as it passes for somebody who looks again and again. If the looks come late, since the host is busy, what they look
 * for is late as well, and nobody else is to blame: so of a long time without a look only a part counts.
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
