/** One condition of a filter. */
export type Selector =
  | { readonly path: readonly string[]; readonly operator: 'present' }
  | { readonly path: readonly string[]; readonly operator: '==' | '!=' | '~='; readonly value: string }
