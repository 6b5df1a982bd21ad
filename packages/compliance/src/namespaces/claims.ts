import type { ErrorCode } from '@nsbox/errors'

/** Where a store differs from the interface, as plain data; tests of the differences are skipped by name. */
export interface NamespaceStoreClaims {
  /** `get` of a namespace that does not exist is `not_found`; otherwise it has no labels. */
  readonly knowsMissing: boolean
  /** More than 10,240 labels of one namespace are refused with `invalid_argument`. */
  readonly labelCountLimit: boolean
  /** Every identifier can be a name; otherwise `version` cannot, where the store keeps its own version. */
  readonly everyName: boolean
  /** The code of an update with labels that are too long. */
  readonly longLabelUpdate: ErrorCode
}

/** The full interface. */
export const fullClaims: NamespaceStoreClaims = {
  knowsMissing: true,
  labelCountLimit: true,
  everyName: true,
  longLabelUpdate: 'invalid_argument',
}
