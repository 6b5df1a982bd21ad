/** A namespace and its labels. */
export interface Namespace {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** The last parameter of everything that waits. */
interface AbortOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * Namespaces by name. They come into being by hand or as a side effect of storing something in them, and go only
 * when they are empty. Labels must be within the limits, names must be identifiers; otherwise `invalid_argument`.
 */
export interface NamespaceStore {
  /** @throws `not_found` */
  get(name: string, options?: AbortOptions): Promise<Namespace>

  /** All namespaces, ordered by name. */
  list(options?: AbortOptions): Promise<Namespace[]>

  /** @throws `already_exists`, `invalid_argument` */
  create(
    namespace: { readonly name: string; readonly labels?: Readonly<Record<string, string>> },
    options?: AbortOptions,
  ): Promise<Namespace>

  /**
   * Changes labels: `replace` makes them exactly the given ones, `merge` sets the given keys; an empty value deletes. A
   * namespace that does not exist is made by its first label.
   * @throws `invalid_argument`
   */
  update(
    name: string,
    labels:
      | { readonly replace: Readonly<Record<string, string>> }
      | { readonly merge: Readonly<Record<string, string>> },
    options?: AbortOptions,
  ): Promise<Namespace>

  /**
   * @throws `not_found`; `failed_precondition` while the namespace holds anything, with a message that names what:
   * `namespace "x" must be empty, but it still has images, blobs`
   */
  delete(name: string, options?: AbortOptions): Promise<void>
}
