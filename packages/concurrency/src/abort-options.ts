/** The last parameter of everything that waits. An abort rejects with the signal's reason and leaves no half result. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined
}
