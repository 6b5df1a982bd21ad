import type { ErrorCode } from '@nsbox/errors'

/** What a store promises beyond or short of the interface, as plain data; its tests are then listed as skipped. */
export interface NamespaceStoreClaims {
  /** `get` of a namespace that does not exist is `not_found`, not one without labels. */
  readonly knowsMissing: boolean
  /** More than 10,240 labels of one namespace are refused with `invalid_argument`. */
  readonly labelCountLimit: boolean
  /** Every identifier can be a name; `version` cannot where the store keeps its own version among its namespaces. */
  readonly everyName: boolean
  /** The code of an update with labels that are too long. */
  readonly longLabelUpdate: ErrorCode
}

/** The interface, fully kept. */
export const fullClaims: NamespaceStoreClaims = {
  knowsMissing: true,
  labelCountLimit: true,
  everyName: true,
  longLabelUpdate: 'invalid_argument',
}
