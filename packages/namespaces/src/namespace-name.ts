import { NsboxError } from '@nsbox/errors'
import { validateIdentifier } from './identifier.ts'

/** The namespace that clients use if nothing names another. */
export const defaultNamespace = 'default'

/** The environment variable that names a client's namespace. */
export const namespaceVariable = 'CONTAINERD_NAMESPACE'

/** The namespace that the environment asks for, or the default one. */
export function namespaceFromEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  return env[namespaceVariable] || defaultNamespace
}

/**
 * Checks the namespace of a request.
 * @throws `failed_precondition` if it is missing, `invalid_argument` if it is malformed
 */
export function requireNamespace(name: string | undefined): string {
  if (name === undefined || name === '') throw new NsboxError('failed_precondition', 'namespace is required')
  try {
    validateIdentifier(name)
  } catch (cause) {
    const reason = cause instanceof NsboxError ? cause.context : String(cause)
    throw new NsboxError('invalid_argument', `namespace validation: ${reason}`, { cause })
  }
  return name
}
