/** Limits of the names in an archive. */
export const nameLimits = {
  /** Bytes of a whole name: the most that Linux takes in one call. */
  name: 4095,
  /** Bytes of each component. */
  component: 255,
  /** Components. */
  depth: 512,
} as const
