import type { Kind } from './node.ts'

/** Something that nothing keeps any more. */
export interface Garbage {
  readonly kind: Exclude<Kind, 'container'>
  readonly id: string
}
