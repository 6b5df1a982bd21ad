import { NsboxError, quoted } from '@nsbox/errors'

/** A right in a namespace: look at its contents, change them, run containers. */
export const rights = ['read', 'write', 'run'] as const
export type Right = (typeof rights)[number]

/** Rights by namespace. */
export type Grants = ReadonlyMap<string, ReadonlySet<Right>>

/** The access of a caller. */
export interface Access {
  /** The peer's name in the access list; empty on the server's own socket. */
  readonly peer: string
  /** A tenant's rights; undefined for a caller with all rights, such as root of the host. */
  readonly grants?: Grants | undefined
}

/** The access of a tenant. */
export type TenantAccess = Access & { readonly grants: Grants }

/** No access: that of a call whose peer was not identified. */
export const nobody: Access = { peer: 'nobody', grants: new Map() }

/** The access of callers on the server's own socket. */
export const everything: Access = { peer: '' }

export function isTenant(access: Access): access is TenantAccess {
  return access.grants !== undefined
}

export function permits({ grants }: Access, namespace: string, right: Right): boolean {
  return grants === undefined || (grants.get(namespace)?.has(right) ?? false)
}

/** Whether one access includes another one. */
export function covers(access: Access | undefined, other: Access): boolean {
  if (access === undefined) return false
  if (!isTenant(access)) return true
  if (!isTenant(other)) return false
  return [...other.grants].every(([namespace, granted]) =>
    [...granted].every((right) => permits(access, namespace, right)),
  )
}

/** The union of two accesses. */
export function union(peer: string, accesses: readonly Access[]): Access {
  const grants = new Map<string, Set<Right>>()
  for (const access of accesses) {
    if (!isTenant(access)) return { peer }
    for (const [namespace, granted] of access.grants)
      grants.set(namespace, new Set([...(grants.get(namespace) ?? []), ...granted]))
  }
  return { peer, grants }
}

/** A refusal that does not tell whether the namespace exists. */
export function namespaceRefusal(namespace: string): NsboxError {
  return new NsboxError('permission_denied', `namespace ${quoted(namespace)}`)
}
