import type { SpanFacts } from './tracer.ts'

/** The most characters of a text in a span: many come from outside. */
const longest = 256

/** Facts without those that are undefined, and with texts of bounded length. */
export function boundedFacts(facts: SpanFacts): Record<string, string | number | boolean> {
  const bounded: Record<string, string | number | boolean> = {}
  for (const [name, value] of Object.entries(facts))
    if (value !== undefined) bounded[name] = typeof value === 'string' ? boundedText(value) : value
  return bounded
}

/** A text of bounded length. */
export function boundedText(text: string): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
}
