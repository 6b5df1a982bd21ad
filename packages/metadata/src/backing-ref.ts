/** A snapshot as its snapshotter knows it. */
export interface BackingRef {
  readonly snapshotter: string
  readonly key: string
}
