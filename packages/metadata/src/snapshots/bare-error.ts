import { isNsboxError, NsboxError } from '@nsbox/errors'

/**
 * An error of the backend with the caller's names in place of the backend's keys, which may reveal other namespaces.
 */
export function bareError(error: unknown, names: ReadonlyMap<string, string>): unknown {
  if (!isNsboxError(error)) return error
  let { context } = error
  for (const [key, name] of names) context = context.replaceAll(key, name)
  if (context === error.context) return error
  return new NsboxError(error.code, context, { cause: error.cause, details: error.details })
}
