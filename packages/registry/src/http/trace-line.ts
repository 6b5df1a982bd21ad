import type { RequestTrace } from './connections.ts'

/** A request as a line for people, with its end. */
export function traceLine({ method, url, status, error, milliseconds }: RequestTrace): string {
  return `${method} ${url}: ${status ?? error} in ${milliseconds.toFixed(0)} ms\n`
}
