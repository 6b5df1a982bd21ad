/** Limits of the names in an archive. */
export interface NameLimits {
  /** Bytes of a whole name; 4095 by default, the most that Linux takes in one call. */
  readonly name: number
  /** Bytes of each component; 255 by default. */
  readonly component: number
  /** Components; 512 by default. */
  readonly depth: number
}

export const defaultNameLimits: NameLimits = { name: 4095, component: 255, depth: 512 }
