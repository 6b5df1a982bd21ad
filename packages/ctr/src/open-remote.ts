import type { AbortOptions } from '@nsbox/core/content'
import type { Registry, RegistryRemote } from '@nsbox/registry'
import { credentialSource, type RegistryOptions, requestLog, tlsOptions } from './registry-options.ts'

/** Registries, for a command that talks to them itself; closed with the command. */
export async function openRegistry(
  options: RegistryOptions,
  { signal }: AbortOptions = {},
): Promise<Registry> {
  // Loaded only here: the client of registries would cost every command a third of its start.
  const { createRegistry, logListeners } = await import('@nsbox/registry')
  return createRegistry({
    credentials: await credentialSource(options, { signal }),
    hostsDir: options.hostsDir,
    defaultScheme: options.plainHttp ? 'http' : undefined,
    tls: await tlsOptions(options),
    ...logListeners(requestLog(options)),
  })
}

/** As `openRegistry`, for the repository or object that one reference names. */
export async function openRemote(
  reference: string,
  options: RegistryOptions,
  { signal }: AbortOptions = {},
): Promise<{ remote: RegistryRemote } & AsyncDisposable> {
  const registry = await openRegistry(options, { signal })
  return {
    remote: registry.remote(reference),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
}
