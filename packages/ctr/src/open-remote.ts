import type { AbortOptions } from '@nsbox/core/content'
import type { Registry, RegistryRemote, RequestTrace } from '@nsbox/registry'
import { complain, complainText } from './print.ts'
import { credentialSource, type RegistryOptions, tlsOptions } from './registry-options.ts'

/** Registries, for a command that talks to them itself; closed with the command. */
export async function openRegistry(
  options: RegistryOptions,
  { signal }: AbortOptions = {},
): Promise<Registry> {
  // Loaded only here: the client of registries would cost every command a third of its start.
  const { createRegistry } = await import('@nsbox/registry')
  return createRegistry({
    credentials: await credentialSource(options, { signal }),
    hostsDir: options.hostsDir,
    defaultScheme: options.plainHttp ? 'http' : undefined,
    tls: await tlsOptions(options),
    onDump: options.httpDump ? complainText : undefined,
    onRequest: options.httpTrace ? (trace) => complain(traceLine(trace)) : undefined,
  })
}

function traceLine({ method, url, status, error, milliseconds }: RequestTrace): string {
  return `${method} ${url}: ${status ?? error} in ${milliseconds.toFixed(0)} ms`
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
