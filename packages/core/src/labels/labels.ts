/** Labels of an object: keys and values are free text within the limits that `@nsbox/namespaces` checks. */
export type Labels = Readonly<Record<string, string>>

/**
 * How an update changes labels. `replace` makes them exactly the given ones; `merge` sets the given keys and leaves
 * the others. In both, an empty value means that the key goes (docs/behaviour.md §1, §3).
 */
export type LabelChange = { readonly replace: Labels } | { readonly merge: Labels }
