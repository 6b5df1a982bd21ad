import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import { checkedConnector } from './checked-connector.ts'
import type { Admit } from './checked-lookup.ts'

export { request } from 'undici'

/** How connections are made. */
export interface DispatcherOptions {
  /** Never by a proxy. */
  readonly direct: boolean
  /** At most so many to one host. */
  readonly connections: number
  readonly options: Parameters<typeof checkedConnector>[0]
  readonly admit: Admit
}

export type OpenDispatcher = typeof openDispatcher

/** A pool of connections. */
export function openDispatcher({ direct, connections, options, admit }: DispatcherOptions): Dispatcher {
  const connect = checkedConnector(options, admit)
  if (direct) return new Agent({ connections, connect })
  // Plain http is asked of a proxy as such: many refuse tunnels to other ports than that of https.
  // Neither the proxy's address is checked, nor those that it connects to.
  return new EnvHttpProxyAgent({ connections, connect, requestTls: options, proxyTunnel: false })
}
