import type { Remote } from '@nsbox/core/transfer'
import { credentialSource, type RegistryOptions, tlsOptions } from './registry-options.ts'

/** A remote for a command that talks to the registry itself; closed with the command. */
export async function openRemote(
  reference: string,
  options: RegistryOptions,
): Promise<{ remote: Remote } & AsyncDisposable> {
  // Loaded only here: the client of registries would cost every command a third of its start.
  const { createRegistry } = await import('@nsbox/registry')
  const registry = createRegistry({
    credentials: credentialSource(options),
    hostsDir: options.hostsDir,
    defaultScheme: options.plainHttp ? 'http' : undefined,
    tls: await tlsOptions(options),
  })
  return {
    remote: registry.remote(reference),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  }
}
