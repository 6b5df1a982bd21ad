/**
 * What an applier and a comparer promise beyond or short of the interfaces, as plain data. A difference is declared here
 * and its tests are then skipped by name; the suite never asks which it has.
 */
export interface DifferClaims {
  /** Layers keep fractions of seconds. */
  readonly fractions: boolean
  /** Layers keep the attributes of the root directory. */
  readonly rootAttributes: boolean
  /** The same trees give the same bytes, at any time. */
  readonly sameBytes: boolean
  /** Layers are made of every media type that the interface names, and not only of OCI's without zstd. */
  readonly allMediaTypes: boolean
  /** A blob that exists already gets the labels of the layer. */
  readonly labelsOfExisting: boolean
  /** Layers that are damaged, of the wrong size or no layers are refused with the codes of the interface. */
  readonly checkedLayers: boolean
  /** What no layer can carry is refused with `failed_precondition`. */
  readonly refusesNames: boolean
}

/** The interfaces, fully kept. */
export const fullClaims: DifferClaims = {
  fractions: true,
  rootAttributes: true,
  sameBytes: true,
  allMediaTypes: true,
  labelsOfExisting: true,
  checkedLayers: true,
  refusesNames: true,
}
