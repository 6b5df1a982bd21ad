import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ConnectRouter, Interceptor } from '@connectrpc/connect'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { pino } from 'pino'
import { bindSocket } from '../listen/bind-socket.ts'
import { createHttpServers } from '../listen/http-servers.ts'
import { type CallBudgets, callBudgets } from '../rpc/call-budgets.ts'
import { codedErrors } from '../rpc/coded-errors.ts'
import type { Conduct } from '../rpc/conduct.ts'
import { durableReplies } from '../rpc/durable-replies.ts'
import { interruptibleRequests } from '../rpc/interruptible-requests.ts'
import { createRpcHandler } from '../rpc/rpc-handler.ts'

/** Routes that are served on a socket, for tests. */
export interface ServedRoutes extends AsyncDisposable {
  readonly address: string
  readonly budgets: CallBudgets
  /** How many connections are open. */
  connections(): Promise<number>
}

/** Serves routes as the server does, without its other parts. */
export async function serveRoutes(
  routes: (router: ConnectRouter) => void,
  {
    durable = async () => {},
    shutdownSignal = new AbortController().signal,
    patience,
    outer = [],
    inner = [],
    conduct,
  }: {
    durable?: () => Promise<void>
    shutdownSignal?: AbortSignal | undefined
    patience?: number | undefined
    /** Interceptors around those of the server. */
    outer?: Interceptor[]
    /** Interceptors within those of the server. */
    inner?: Interceptor[]
    conduct?: Conduct | undefined
  } = {},
): Promise<ServedRoutes> {
  await using starting = new AsyncDisposableStack()
  const address = join(starting.use(await tempDir('nsbox-routes')).path, 's.sock')
  const log = pino({ level: 'silent' })
  const budgets = callBudgets()
  const interceptors = [...outer, codedErrors, durableReplies(durable), interruptibleRequests, ...inner]
  const handler = createRpcHandler({
    routes,
    interceptors,
    shutdownSignal,
    budgets,
    log,
    patience,
    conduct,
  })
  const http = createHttpServers(handler, log)
  await bindSocket(http.server, address)
  starting.defer(async () => {
    const closed = http.close()
    http.destroy()
    await closed
  })
  const resources = starting.move()
  const connections = promisify(http.server.getConnections).bind(http.server)
  return { address, budgets, connections, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
