/** Where a store differs from the interface, as plain data; see the claims of content stores. */
export interface ContainerStoreClaims {
  /** A container without a spec is refused with `invalid_argument`, when it is made and when it is changed. */
  readonly demandsSpec: boolean
  /** An update can remove extensions; otherwise it only adds and replaces them. */
  readonly extensionRemoval: boolean
  /** More than 10,240 labels or 1024 extensions, or more than 12 MiB in all are refused with `invalid_argument`. */
  readonly limits: boolean
}

/** The full interface. */
export const fullClaims: ContainerStoreClaims = {
  demandsSpec: true,
  extensionRemoval: true,
  limits: true,
}
