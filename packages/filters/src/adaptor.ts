/** What a filter sees of an object. */
export interface Adaptor {
  /**
   * The value at a path such as `['target', 'digest']` or `['labels', 'com', 'example/x']`; undefined if the object has
   * none there. An empty value of a field that is not a label counts as absent: return undefined for it.
   */
  field(path: readonly string[]): string | undefined
}

/** The label whose key is the rest of a path: its parts joined by dots, so that keys with dots need no quotes. */
export function labelField(
  labels: Readonly<Record<string, string>>,
  rest: readonly string[],
): string | undefined {
  const key = rest.join('.')
  return rest.length > 0 && Object.hasOwn(labels, key) ? labels[key] : undefined
}
