/** Where a store differs from the interface, as plain data; see the claims of content stores. */
export interface ImageStoreClaims {
  /** More than 10,240 labels of one image are refused with `invalid_argument`. */
  readonly labelCountLimit: boolean
  /** Annotations can be changed without naming a target. */
  readonly annotationChange: boolean
}

/** The full interface. */
export const fullClaims: ImageStoreClaims = { labelCountLimit: true, annotationChange: true }
