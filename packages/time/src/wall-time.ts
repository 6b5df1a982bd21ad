/** Milliseconds by which what is computed may differ from the system's clock before it is measured again. */
const tolerance = 0.02

/** How often the next millisecond is waited for if the process was interrupted meanwhile. */
const attempts = 5

/** Looks at the clock until a millisecond must have ended, so that a clock that stands holds nobody up. */
const mostLooks = 100_000

/** What the monotonic clock is to be added to, in nanoseconds. */
let offset: bigint | undefined

/**
 * The time of the system's clock in milliseconds since 1970, with microseconds after the point. The clock may be set,
 * and this follows.
 *
 * Node tells that clock to the millisecond only. The rest is taken from the monotonic clock: on Linux both go at the
 * same rate (clock_gettime(2)), so their distance, which is measured once, stays until the clock is set or the machine
 * was asleep. Each call compares, and measures again then.
 */
export function wallTime(): number {
  const before = Date.now()
  const time = computed()
  const after = Date.now()
  // A process that was interrupted in between has no more than these bounds to go by.
  if (time !== undefined && time >= before - tolerance && time < after + 1 + tolerance) return time
  offset = measured()
  return computed() ?? after
}

function computed(): number | undefined {
  if (offset === undefined) return undefined
  const nanoseconds = process.hrtime.bigint() + offset
  // Divided in two steps, so that no digit of a microsecond is lost.
  return Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1_000_000
}

/** The distance of the clocks, by watching one millisecond end; it takes that long at most, unless interrupted. */
function measured(): bigint {
  let best = nextTick()
  for (let attempt = 1; attempt < attempts && best.width > 5_000n; attempt++) {
    const found = nextTick()
    if (found.width < best.width) best = found
  }
  return best.offset
}

/** @returns also within how many nanoseconds the millisecond ended */
function nextTick(): { readonly width: bigint; readonly offset: bigint } {
  const first = Date.now()
  let before = process.hrtime.bigint()
  let between = before
  for (let look = 0; ; look++) {
    const milliseconds = Date.now()
    const after = process.hrtime.bigint()
    // It ended after the second last look at the one clock, which was after `before`, and ahead of the last one.
    if (milliseconds !== first || look === mostLooks)
      return { width: after - before, offset: BigInt(milliseconds) * 1_000_000n - between }
    before = between
    between = after
  }
}
