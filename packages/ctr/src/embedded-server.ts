import type { Server } from '@nsbox/server'
import type { GlobalOptions } from './global-options.ts'
import { enterOwnUserNamespace } from './user-namespace.ts'

/**
 * Runs a server inside this process, on the user's own data root, with a socket at a private address. An ordinary
 * user's command is started again for it, so this comes before the command does anything.
 * @throws `failed_precondition` if the data root is in use
 */
export async function startEmbeddedServer({ root }: GlobalOptions): Promise<Server> {
  await enterOwnUserNamespace()
  // The program has found its own compiled code by now, for which there are no flags.
  await import('@nsbox/server/v8-flags')
  // Loaded only here: a command that talks to a daemon starts without the server's code.
  const { readConfiguration, startServer } = await import('@nsbox/server')
  const configuration = await readConfiguration({ flags: root === undefined ? {} : { root } })
  // Socket and state are this process's own, so that no other client finds the server. The access list still says
  // which namespaces are sealed.
  const own = { state: undefined, address: undefined, tenantsAddress: undefined }
  const noTcp = {
    tcpAddress: undefined,
    tcpCertificate: undefined,
    tcpKey: undefined,
    tcpClientCa: undefined,
  }
  return await startServer({ ...configuration, ...own, ...noTcp })
}
