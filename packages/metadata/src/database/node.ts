/** Kinds of objects for the collector; see `schema.ts` for the ids. */
export type Kind = 'image' | 'content' | 'ingest' | 'lease' | 'container' | 'sandbox' | `snapshot/${string}`

/** An object of a namespace, as the collector sees it. */
export interface Node {
  readonly kind: Kind
  readonly id: string
}
