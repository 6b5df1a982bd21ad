/** Request header that names the namespace of a call. */
export const namespaceHeader = 'containerd-namespace'

/** Request header that names the lease that protects what a call makes. */
export const leaseHeader = 'containerd-lease'

/**
 * The value of a request header that some clients send twice: the newest comes first and counts
 * (docs/behaviour.md §13). Node joins the values to `a, b`; neither a namespace nor a lease id can hold a comma.
 *
 * @returns the first value that is not empty, without surrounding blanks; undefined if there is none
 */
export function firstHeaderValue(value: string | null | undefined): string | undefined {
  return value
    ?.split(',')
    .map((part) => part.trim())
    .find((part) => part !== '')
}
