import type { IncomingMessage, ServerResponse } from 'node:http'
import { NsboxError } from '@nsbox/errors'
import type { Logger } from 'pino'
import type { ConnectionAccess } from '../access/access-control.ts'
import type { Exposition } from '../metrics/exposition.ts'
import type { RpcHandler } from '../rpc/rpc-handler.ts'
import { revision, version } from '../version.ts'
import { openContainerLog } from './container-log.ts'
import { namedContainer } from './container-query.ts'
import { answerHttpError } from './http-error.ts'
import { pageActions, requireWrite } from './page-actions.ts'
import type { PageFile } from './page-files.ts'
import { refuse, refuseUpgrade } from './refusals.ts'
import { sendFile } from './send-file.ts'
import { sendLog } from './send-log.ts'
import type { Terminals } from './terminals.ts'
import type { WebRoutes } from './web-server.ts'

/** The most logs that are followed at once. */
const mostLogs = 32

/** The most actions under way: each may take as much of the disk as a container has memory. */
const mostActions = 4

/** What the page is served with. */
export interface PageRoutesParts {
  /** By names that do not begin with a slash. */
  readonly files: ReadonlyMap<string, PageFile>
  readonly handler: RpcHandler
  /** Of the server's own socket. */
  readonly address: string
  readonly metrics: () => Promise<Exposition>
  /** Absent for a page that only looks. */
  readonly terminals: Terminals | undefined
  /** Aborted when the server begins to end. */
  readonly stopping: AbortSignal
  readonly log: Logger
}

/** The access of the page: what the gate lets through has all rights. No peer of an access list can have its name. */
const pageAccess: ConnectionAccess = {
  of: () => ({ peer: '(page)' }),
  isCurrent: () => true,
  wasUsed: true,
}

/** Serves browsers that have a session: files, calls by Connect's protocol, and what the page needs beside them. */
export function pageRoutes(parts: PageRoutesParts): WebRoutes {
  const { files, handler, address, metrics, terminals, stopping, log } = parts
  const write = terminals !== undefined
  const logs = bounded('logs', mostLogs)
  const actions = bounded('actions', mostActions)

  const showLog = async (response: ServerResponse, query: URLSearchParams) => {
    using _turn = logs()
    const signal = AbortSignal.any([closeOf(response), stopping])
    await using opened = await openContainerLog(address, namedContainer(query), { signal })
    await sendLog(response, opened, signal)
  }
  const showMetrics = async (response: ServerResponse) => {
    const { contentType, body } = await metrics()
    response.writeHead(200, { 'content-type': contentType }).end(body)
  }
  const act = async (response: ServerResponse, pathname: string, query: URLSearchParams) => {
    requireWrite(pathname.slice(1), write)
    using _turn = actions()
    await pageActions.get(pathname)!(address, query, closeOf(response))
    response.writeHead(204).end()
  }

  return {
    request(request, response, { pathname, searchParams }) {
      const { method } = request
      const answered = (work: Promise<void>) => {
        request.resume()
        work.catch((error) => answerHttpError(response, error, log))
      }
      const file = files.get(pathname === '/' ? 'index.html' : pathname.slice(1))
      if (file !== undefined) sendFile(request, response, file)
      else if (pathname === '/session') sendJson(request, response, { write, version, revision })
      else if (pathname === '/logs' && method === 'GET') answered(showLog(response, searchParams))
      else if (pathname === '/metrics' && method === 'GET') answered(showMetrics(response))
      else if (pageActions.has(pathname) && method === 'POST') answered(act(response, pathname, searchParams))
      else if (method === 'POST') handler.request(request, response, pageAccess)
      else refuse(response, 404, 'there is nothing at this address')
    },
    upgrade(request, socket, head, { pathname, searchParams }) {
      if (pathname !== '/terminal') refuseUpgrade(socket, 404, 'there is nothing at this address')
      else if (terminals === undefined) refuseUpgrade(socket, 403, 'the page is read-only')
      else terminals.take(request, socket, head, searchParams)
    },
  }
}

/** Counts what is under way. @returns what begins one, to be disposed of at its end; throws `resource_exhausted` */
function bounded(what: string, most: number): () => Disposable {
  let count = 0
  return () => {
    if (count >= most) throw new NsboxError('resource_exhausted', `there are ${count} ${what} of the page`)
    count += 1
    return {
      [Symbol.dispose]: () => {
        count -= 1
      },
    }
  }
}

/** Aborted when the client has gone away, or has its answer. */
function closeOf(response: ServerResponse): AbortSignal {
  const closed = new AbortController()
  response.once('close', () => closed.abort(new NsboxError('canceled', 'the client went away')))
  return closed.signal
}

function sendJson(request: IncomingMessage, response: ServerResponse, value: unknown): void {
  if (request.method !== 'GET') refuse(response, 405, 'this can only be read')
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
