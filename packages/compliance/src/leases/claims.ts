/** Where a store differs from the interface, as plain data; see the claims of content stores. */
export interface LeaseStoreClaims {
  /** An expiry that is no RFC 3339 time, and labels that are too long, are refused with `invalid_argument`. */
  readonly labelRules: boolean
}

/** The full interface. */
export const fullClaims: LeaseStoreClaims = { labelRules: true }
