import type { Kind } from './node.ts'

/** An object to collect. */
export interface Garbage {
  readonly kind: Exclude<Kind, 'container'>
  readonly id: string
}
