import type { DescMethod } from '@bufbuild/protobuf'
import type { Code } from '@connectrpc/connect'
import { PlainHistogram } from './plain-histogram.ts'

/** Seconds: most calls take less than a millisecond, and a wait may take days. */
const callBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** The calls of one method. */
export class MethodCounts {
  readonly seconds = new PlainHistogram(callBounds)
  /** How many have ended with each status; undefined is success. */
  readonly ended = new Map<Code | undefined, number>()
  inFlight = 0

  /** A call has ended, which was counted as begun. */
  end(seconds: number, code: Code | undefined): void {
    this.inFlight--
    this.seconds.observe(seconds)
    this.ended.set(code, (this.ended.get(code) ?? 0) + 1)
  }
}

/** The calls of all methods that have been called. Their number is bounded by the API. */
export class CallCounts {
  readonly methods = new Map<DescMethod, MethodCounts>()

  /** A call begins. The result is to be told of its end. */
  begin(method: DescMethod): MethodCounts {
    let counts = this.methods.get(method)
    if (counts === undefined) {
      counts = new MethodCounts()
      this.methods.set(method, counts)
    }
    counts.inFlight++
    return counts
  }
}
