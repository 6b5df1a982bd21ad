import { NsboxError, quoted } from '@nsbox/errors'

/** What may be done in a namespace: look, change what it has, run containers. */
export const rights = ['read', 'write', 'run'] as const
export type Right = (typeof rights)[number]

/** What may be done in which namespaces. */
export type Grants = ReadonlyMap<string, ReadonlySet<Right>>

/** What whoever makes a call may do. */
export interface Access {
  /** Who it is, in the words of the access list; empty on the server's own socket. */
  readonly peer: string
  /** A tenant's grants; undefined for one who may do everything, as root of the host may. */
  readonly grants?: Grants | undefined
}

/** The access of a tenant. */
export type TenantAccess = Access & { readonly grants: Grants }

/** Nothing at all: the access of a call that nobody has said anything of. */
export const nobody: Access = { peer: 'nobody', grants: new Map() }

/** The access by the server's own socket. */
export const everything: Access = { peer: '' }

export function isTenant(access: Access): access is TenantAccess {
  return access.grants !== undefined
}

export function permits({ grants }: Access, namespace: string, right: Right): boolean {
  return grants === undefined || (grants.get(namespace)?.has(right) ?? false)
}

/** Whether one access permits all that another one does. */
export function covers(access: Access | undefined, other: Access): boolean {
  if (access === undefined) return false
  if (!isTenant(access)) return true
  if (!isTenant(other)) return false
  return [...other.grants].every(([namespace, granted]) =>
    [...granted].every((right) => permits(access, namespace, right)),
  )
}

/** All that either permits. */
export function union(peer: string, accesses: readonly Access[]): Access {
  const grants = new Map<string, Set<Right>>()
  for (const access of accesses) {
    if (!isTenant(access)) return { peer }
    for (const [namespace, granted] of access.grants)
      grants.set(namespace, new Set([...(grants.get(namespace) ?? []), ...granted]))
  }
  return { peer, grants }
}

/** A refusal that is the same whether the namespace is there or not. */
export function namespaceRefusal(namespace: string): NsboxError {
  return new NsboxError('permission_denied', `namespace ${quoted(namespace)}`)
}
