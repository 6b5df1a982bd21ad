import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ConnectionAccess } from '../access/access-control.ts'
import type { RpcHandler } from '../rpc/rpc-handler.ts'
import { revision, version } from '../version.ts'
import type { ContainerActions } from './container-actions.ts'
import type { PageFile } from './page-files.ts'
import { refuse, refuseUpgrade } from './refusals.ts'
import { sendFile } from './send-file.ts'
import type { WebRoutes } from './web-server.ts'

/** What the page is served with. */
export interface PageRoutesParts {
  /** By names that do not begin with a slash. */
  readonly files: ReadonlyMap<string, PageFile>
  readonly handler: RpcHandler
  readonly actions: ContainerActions
  readonly write: boolean
}

/** The access of the page: what the gate lets through has all rights. No peer of an access list can have its name. */
const pageAccess: ConnectionAccess = {
  of: () => ({ peer: '(page)' }),
  isCurrent: () => true,
  wasUsed: true,
}

/** Serves browsers that have a session: files, calls by Connect's protocol, and what the page needs beside them. */
export function pageRoutes({ files, handler, actions, write }: PageRoutesParts): WebRoutes {
  return {
    request(request, response, url) {
      const { pathname } = url
      const file = files.get(pathname === '/' ? 'index.html' : pathname.slice(1))
      if (file !== undefined) return sendFile(request, response, file)
      if (pathname === '/session') return sendJson(request, response, { write, version, revision })
      if (actions.has(pathname)) return void actions.serve(request, response, url)
      if (request.method === 'POST') return handler.request(request, response, pageAccess)
      return refuse(response, 404, 'there is nothing at this address')
    },
    upgrade(_request, socket) {
      refuseUpgrade(socket, 404, 'there is nothing at this address')
    },
  }
}

function sendJson(request: IncomingMessage, response: ServerResponse, value: unknown): void {
  if (request.method !== 'GET') refuse(response, 405, 'this can only be read')
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
