/** What the lines of a transfer call a reference on a registry (docs/behaviour.md §15). */
export function registryName(reference: string): string {
  return `OCI Registry (${reference})`
}
