import type { Interceptor, StreamResponse } from '@connectrpc/connect'
import { firstHeaderValue, namespaceHeader } from '@nsbox/api'
import { NsboxError } from '@nsbox/errors'
import { requireNamespace } from '@nsbox/namespaces'
import { isTenant, namespaceRefusal, permits, type TenantAccess } from '../access/access.ts'
import { withoutPaths } from '../access/hidden-paths.ts'
import type { Rule, Rules, TenantCall } from '../access/rule.ts'
import { accessOf, headerOf } from './call-access.ts'

/** Options of the gate. */
export interface AccessGateOptions {
  readonly rules: Rules
  /** Directories of the server, whose paths are removed from texts for tenants. */
  readonly hidden: readonly string[]
}

type AnyRule = Rule<unknown, unknown>
type Request = Parameters<ReturnType<Interceptor>>[0]

/** Admits a tenant's calls by the rules. Calls of peers with all rights pass unchanged. */
export function accessGate({ rules, hidden }: AccessGateOptions): Interceptor {
  return (next) => async (request) => {
    const access = accessOf(request)
    if (!isTenant(access)) return next(request)
    const name = `${request.service.typeName}/${request.method.name}`
    const rule = rules.get(name) as AnyRule | undefined
    try {
      const call = admit(rule, name, request, access)
      const served = await withRequest(request, rule!, call)
      const outcome = await next(served)
      const { answer } = rule!
      if (!outcome.stream) {
        if (answer === undefined) return outcome
        const message = answer(outcome.message, served.message, call) as typeof outcome.message
        return { ...outcome, message }
      }
      return { ...outcome, message: given(outcome.message, served, rule!, call, hidden) }
    } catch (error) {
      throw withoutPaths(error, hidden)
    }
  }
}

/** @throws `permission_denied`; `failed_precondition` and `invalid_argument` for a call that names no namespace */
function admit(rule: AnyRule | undefined, name: string, request: Request, access: TenantAccess): TenantCall {
  const { signal } = request
  if (rule === undefined || rule.needs === 'never')
    throw new NsboxError('permission_denied', `${name} by a tenant`)
  if (rule.needs === 'open') return { access, namespace: '', signal }
  const namespace = requireNamespace(firstHeaderValue(headerOf(request, namespaceHeader)))
  if (!access.grants.has(namespace)) throw namespaceRefusal(namespace)
  if (!permits(access, namespace, rule.needs)) {
    const what = `${name} in namespace ${JSON.stringify(namespace)}, which needs the right to ${rule.needs}`
    throw new NsboxError('permission_denied', what)
  }
  return { access, namespace, signal }
}

/** The request to serve, as changed by the rule. */
async function withRequest(request: Request, rule: AnyRule, call: TenantCall): Promise<Request> {
  const { request: admitted } = rule
  if (admitted === undefined) return request
  // A call is an object of a class. Its message can be replaced, but it cannot be copied.
  const changed = request as { message: unknown }
  if (isIterable(request.message)) changed.message = mapped(request.message, (each) => admitted(each, call))
  else changed.message = await admitted(request.message, call)
  return request
}

async function* mapped(
  messages: AsyncIterable<unknown>,
  change: (message: unknown) => unknown,
): AsyncGenerator<unknown> {
  for await (const message of messages) yield await change(message)
}

async function* given(
  messages: StreamResponse['message'],
  request: Request,
  { answer }: AnyRule,
  call: TenantCall,
  hidden: readonly string[],
): StreamResponse['message'] {
  try {
    for await (const message of messages)
      yield answer === undefined ? message : (answer(message, request.message, call) as typeof message)
  } catch (error) {
    throw withoutPaths(error, hidden)
  }
}

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value
