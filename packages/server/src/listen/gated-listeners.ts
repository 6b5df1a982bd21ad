import { once } from 'node:events'
import type { AddressInfo, Server as NetServer } from 'node:net'
import type { TlsOptions, Server as TlsServer } from 'node:tls'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import type { Logger } from 'pino'
import { AccessControl } from '../access/access-control.ts'
import { readAccessList } from '../access/access-list.ts'
import type { RpcHandler } from '../rpc/rpc-handler.ts'
import type { ServerConfig } from '../server.ts'
import { bindSocket } from './bind-socket.ts'
import { createHttpServers, type HttpServers } from './http-servers.ts'
import { parseTcpAddress, type TcpAddress } from './tcp-address.ts'
import { readTlsFiles, type TlsFiles } from './tls-files.ts'

/** The listeners besides the server's own socket. */
type GatedConfig = Pick<
  ServerConfig,
  'accessList' | 'tenantsAddress' | 'tcpAddress' | 'tcpCertificate' | 'tcpKey' | 'tcpClientCa'
>

/** Listeners for peers of the access list. */
export interface GatedListeners {
  readonly listeners: readonly HttpServers[]
  /** Whether a namespace shares nothing with others. */
  isSealed(namespace: string): boolean
  /** Begins to listen. @param newHandler makes the handler of each listener */
  bind(newHandler: () => RpcHandler, log: Logger): Promise<{ readonly tcpPort?: number | undefined }>
  /** Reads all files again. Connections end if their peers have lost a right. @throws as `openGatedListeners` */
  reload(): Promise<void>
}

interface Tcp {
  readonly address: TcpAddress
  readonly files: TlsFiles
}

/**
 * Reads the access list and the files for TLS.
 *
 * @throws `invalid_argument` for settings without others that they need, and for invalid files; `permission_denied` for
 * files that others may change; `not_found`
 */
export async function openGatedListeners(config: GatedConfig): Promise<GatedListeners> {
  const { accessList, tenantsAddress } = config
  const tcp = tcpOf(config)
  if (accessList === undefined) {
    if (tenantsAddress !== undefined || tcp !== undefined)
      throw missing('a socket for tenants or TCP', 'an access list (access_list)')
    return { listeners: [], isSealed: () => false, bind: async () => ({}), reload: async () => {} }
  }
  const read = async () => {
    const list = await readAccessList(accessList)
    const tls = tcp && (await readTlsFiles(tcp.files))
    if (tcp !== undefined && tcp.files.clientCa === undefined && !list.hasTokens)
      throw missing('TCP', 'authorities of clients (tcp.client_ca) or tokens in the access list')
    return { list, tls }
  }
  let current = await read()
  const control = new AccessControl(current.list)
  const listeners: HttpServers[] = []
  let tlsServer: TlsServer | undefined
  return {
    listeners,
    isSealed: (namespace) => control.isSealed(namespace),
    async bind(newHandler, log) {
      if (tenantsAddress !== undefined) {
        const http = createHttpServers(newHandler(), log, { authenticate: control.byProcess })
        listeners.push(http)
        await bindSocket(http.server, tenantsAddress, { openTo: 'all' })
      }
      if (tcp === undefined || current.tls === undefined) return {}
      const http = createHttpServers(newHandler(), log, { authenticate: control.byTls, tls: current.tls })
      listeners.push(http)
      tlsServer = http.server as TlsServer
      return { tcpPort: await listen(http.server, tcp.address) }
    },
    async reload() {
      const next = await read()
      if (next.tls !== undefined) tlsServer?.setSecureContext(next.tls)
      control.replace(next.list)
      for (const listener of listeners) {
        // A certificate that the current authorities have not verified no longer counts.
        if (listener.server === tlsServer && changesTrust(current.tls, next.tls)) listener.destroy()
        else listener.endStale()
      }
      current = next
    },
  }
}

function tcpOf(config: GatedConfig): Tcp | undefined {
  const { tcpAddress, tcpCertificate: certificate, tcpKey: key, tcpClientCa: clientCa } = config
  if (tcpAddress === undefined) {
    const [given] = Object.entries({ certificate, key, client_ca: clientCa }).filter(
      ([, path]) => path !== undefined,
    )
    if (given !== undefined) throw missing(`tcp.${given[0]}`, 'an address (tcp.address)')
    return undefined
  }
  if (certificate === undefined) throw missing('TCP', 'a certificate (tcp.certificate)')
  if (key === undefined) throw missing('TCP', 'a key (tcp.key)')
  return { address: parseTcpAddress(tcpAddress), files: { certificate, key, clientCa } }
}

function changesTrust(before: TlsOptions | undefined, after: TlsOptions | undefined): boolean {
  return before?.ca !== after?.ca
}

async function listen(server: NetServer, { host, port }: TcpAddress): Promise<number> {
  try {
    const listening = once(server, 'listening')
    server.listen({ host, port })
    await listening
    return (server.address() as AddressInfo).port
  } catch (error) {
    throw fromSystemError(error, `TCP address ${host}:${port}`)
  }
}

function missing(what: string, lacking: string): NsboxError {
  return new NsboxError('invalid_argument', `${what} needs ${lacking}`)
}
