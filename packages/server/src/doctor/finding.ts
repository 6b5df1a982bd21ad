/** What a check of this host has found. */
export interface Finding {
  /** What was looked at, such as `user namespaces`. */
  readonly subject: string
  /** `limited`: things work, but not all, or slower. `missing`: no container runs without it. */
  readonly state: 'ok' | 'limited' | 'missing'
  /** What is there, or why it is not. */
  readonly found: string
  /** What it is needed for. */
  readonly neededFor: string
  /** What to do about it; absent if nothing is amiss. */
  readonly wayOut?: string | undefined
}
