import type { StreamRequest, UnaryRequest } from '@connectrpc/connect'

/** The span of a call. */
export interface CallSpan {
  /** Runs the call's work, so that its spans are below this one. */
  run<T>(work: () => T): T
  /** @param error of the call; undefined for success */
  end(error?: unknown): void
}

/** Makes the spans of calls. */
export interface CallSpans {
  begin(request: UnaryRequest | StreamRequest): CallSpan
}

const none: CallSpan = { run: (work) => work(), end() {} }

/** For servers whose calls nobody traces. */
export const noCallSpans: CallSpans = { begin: () => none }
