/**
 * Where an applier and a comparer differ from the interfaces, as plain data. The tests of a declared difference are
 * skipped by name; the suite never asks which it has.
 */
export interface DifferClaims {
  /** Layers keep fractions of seconds. */
  readonly fractions: boolean
  /** Layers keep the attributes of the root directory. */
  readonly rootAttributes: boolean
  /** The same trees give the same bytes at any time. */
  readonly sameBytes: boolean
  /** Layers can have every media type that the interface names, not only OCI's without zstd. */
  readonly allMediaTypes: boolean
  /** A blob that exists already gets the labels of the layer. */
  readonly labelsOfExisting: boolean
  /** Layers that are damaged, of the wrong size or of no known form are refused with the codes of the interface. */
  readonly checkedLayers: boolean
  /** Trees that no layer can represent are refused with `failed_precondition`. */
  readonly refusesNames: boolean
}

/** The full interfaces. */
export const fullClaims: DifferClaims = {
  fractions: true,
  rootAttributes: true,
  sameBytes: true,
  allMediaTypes: true,
  labelsOfExisting: true,
  checkedLayers: true,
  refusesNames: true,
}
