/** Facts of a span, by the names of docs/tracing.md; those that are undefined are left out. */
export type SpanFacts = Readonly<Record<string, string | number | boolean | undefined>>

/** A span under way. */
export interface OpenSpan {
  /** Adds what is known only now. */
  add(facts: SpanFacts): void
}

/** Records what is done as spans of a trace. */
export interface Tracer {
  /**
   * Runs work as a span: below that of the work that has asked for it, to its end. What the work throws is the error of
   * the span.
   *
   * @param facts called only if there is a trace
   */
  span<T>(name: string, facts: () => SpanFacts, work: (span: OpenSpan) => Promise<T>): Promise<T>
  /** The same for bytes, or other items, that are read one after another: to the last, or until no more are wanted. */
  items<T>(name: string, facts: () => SpanFacts, read: (span: OpenSpan) => AsyncIterable<T>): AsyncIterable<T>
}

const nothing: OpenSpan = { add() {} }

/** For servers whose work nobody traces. */
export const noTracer: Tracer = {
  span: (_name, _facts, work) => work(nothing),
  items: (_name, _facts, read) => read(nothing),
}
