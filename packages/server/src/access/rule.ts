import type { DescService, MessageShape } from '@bufbuild/protobuf'
import type { Right, TenantAccess } from './access.ts'

/** A tenant's call. */
export interface TenantCall {
  readonly access: TenantAccess
  /** The namespace of the call, in which the tenant has the required right; empty for an open method. */
  readonly namespace: string
  readonly signal: AbortSignal
}

/** The right that a tenant needs for a method, and changes to request and answer. */
export interface Rule<I, O> {
  /** A right in the call's namespace; none (`open`); or the method is not for tenants (`never`). */
  readonly needs: Right | 'open' | 'never'
  /** Refuses a request, or returns the one to serve instead. Not called for a stream of requests. */
  readonly request?: (request: I, call: TenantCall) => I | Promise<I>
  /** Returns the answer for the tenant. */
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

/** The rules of a service. The type requires one for each method. */
export function rulesOf<S extends DescService>(
  service: S,
  rules: ServiceRules<S>,
): [string, Rule<never, unknown>][] {
  return service.methods.map((method) => {
    const rule = rules[method.localName as keyof S['method']]
    return [`${service.typeName}/${method.name}`, rule as unknown as Rule<never, unknown>]
  })
}
