import type { AbortOptions } from '@nsbox/core/content'
import { errorCode, NsboxError } from '@nsbox/errors'
import type { RegistryHost } from '../hosts/registry-host.ts'

/**
 * Tries hosts in order until one succeeds. After any failure the next one is tried.
 *
 * @param what is being done, for the error if there is no host for it
 * @throws the error of the only host; or one with the code of the last, which is the registry itself, and the messages
 * of all; `not_found` without any host
 */
export async function tryHosts<T>(
  hosts: readonly RegistryHost[],
  what: string,
  attempt: (host: RegistryHost) => Promise<T>,
  { signal }: AbortOptions = {},
): Promise<T> {
  const errors: unknown[] = []
  for (const host of hosts) {
    signal?.throwIfAborted()
    try {
      return await attempt(host)
    } catch (error) {
      signal?.throwIfAborted()
      errors.push(error)
    }
  }
  throw hostsError(what, errors)
}

/** One error for the failures of all hosts. */
export function hostsError(what: string, errors: readonly unknown[]): unknown {
  if (errors.length === 1) return errors[0]
  if (errors.length === 0) return new NsboxError('not_found', `${what}: no host is configured for it`)
  const messages = errors.map((error) => (error instanceof Error ? error.message : String(error)))
  return new NsboxError(errorCode(errors.at(-1)), `${what}: ${messages.join('; ')}`, {
    cause: new AggregateError(errors, what),
  })
}
