import type { Interceptor } from '@connectrpc/connect'
import { NsboxError } from '@nsbox/errors'
import { pageRules } from './page-rules.ts'

/** Admits calls of the page by its rules. @throws `permission_denied` naming the mode */
export function pageGate({ write }: { readonly write: boolean }): Interceptor {
  return (next) => (request) => {
    const name = `${request.service.typeName}/${request.method.name}`
    const rule = pageRules.get(name)
    if (rule === 'look' || (rule === 'act' && write)) return next(request)
    const reason =
      rule === 'act'
        ? 'the page is read-only, since the server runs without --web-write'
        : 'the page has no use for it'
    throw new NsboxError('permission_denied', `${name}: ${reason}`)
  }
}
