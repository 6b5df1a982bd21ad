/** The form of a registry's reference in lines of a transfer (docs/behaviour.md §15). */
export function registryName(reference: string): string {
  return `OCI Registry (${reference})`
}
