import type { DescService, MessageShape } from '@bufbuild/protobuf'
import type { Right, TenantAccess } from './access.ts'

/** A tenant's call. */
export interface TenantCall {
  readonly access: TenantAccess
  /** The namespace that it is about, which the tenant has the right in that is needed; empty for a method that is open. */
  readonly namespace: string
  readonly signal: AbortSignal
}

/** What a tenant needs to call a method, and what becomes of the call. */
export interface Rule<I, O> {
  /** A right in the call's namespace; nothing at all (`open`); or it is not for tenants (`never`). */
  readonly needs: Right | 'open' | 'never'
  /** Refuses a request, or gives the one to be served in its place. Not called for a stream of requests. */
  readonly request?: (request: I, call: TenantCall) => I | Promise<I>
  /** Gives the answer that the tenant gets. */
  readonly answer?: (answer: O, request: I, call: TenantCall) => O
}

/** A rule for each method of a service. */
export type ServiceRules<S extends DescService> = {
  readonly [M in keyof S['method']]: Rule<
    MessageShape<S['method'][M]['input']>,
    MessageShape<S['method'][M]['output']>
  >
}

/** Rules by the names of methods, such as `containerd.services.version.v1.Version/Version`. */
export type Rules = ReadonlyMap<string, Rule<never, unknown>>

/** The rules of a service, of which none can be forgotten. */
export function rulesOf<S extends DescService>(
  service: S,
  rules: ServiceRules<S>,
): [string, Rule<never, unknown>][] {
  return service.methods.map((method) => {
    const rule = rules[method.localName as keyof S['method']]
    return [`${service.typeName}/${method.name}`, rule as unknown as Rule<never, unknown>]
  })
}
