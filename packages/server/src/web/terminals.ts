import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ProcessHandle } from '@nsbox/client'
import { NsboxError } from '@nsbox/errors'
import type { Logger } from 'pino'
import type { WebSocketServer } from 'ws'
import { type NamedContainer, namedContainer, ownClient } from './container-query.ts'
import { toHttpError } from './http-error.ts'
import { refuseUpgrade } from './refusals.ts'
import { runTerminal } from './terminal.ts'

/** The most terminals at once. */
const mostTerminals = 16

/** The most bytes of one message of a client. */
const messageBytes = 64 << 10

/** What terminals are opened with. */
export interface TerminalsOptions {
  /** Of the server's own socket. */
  readonly address: string
  /** For the FIFOs of processes. */
  readonly fifoDirectory: string
  readonly log: Logger
}

/** The terminals of the page. Disposing of them ends them and their processes. */
export class Terminals implements AsyncDisposable {
  readonly #options: TerminalsOptions
  readonly #server: WebSocketServer
  readonly #stopping = new AbortController()
  readonly #running = new Set<Promise<void>>()

  private constructor(options: TerminalsOptions, server: WebSocketServer) {
    this.#options = options
    this.#server = server
  }

  static async open(options: TerminalsOptions): Promise<Terminals> {
    // Loaded only here: most servers have no terminals.
    const { WebSocketServer } = await import('ws')
    const server = new WebSocketServer({
      ...{ noServer: true, clientTracking: false, perMessageDeflate: false, autoPong: false },
      maxPayload: messageBytes,
    })
    return new Terminals(options, server)
  }

  /** Opens one for a request with `?namespace=…&container=…&args=…`, or refuses it. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, query: URLSearchParams): void {
    let container: NamedContainer
    try {
      if (this.#stopping.signal.aborted) throw new NsboxError('unavailable', 'the server is ending')
      if (this.#running.size >= mostTerminals)
        throw new NsboxError('resource_exhausted', `there are ${this.#running.size} terminals already`)
      container = namedContainer(query)
    } catch (error) {
      const { status, text } = toHttpError(error)
      refuseUpgrade(socket, status, text)
      return
    }
    const args = query.getAll('args')
    this.#server.handleUpgrade(request, socket, head, (client) => {
      const running = this.#run(container, args.length === 0 ? ['sh'] : args, client)
      this.#running.add(running)
      void running.finally(() => this.#running.delete(running))
    })
  }

  async #run(
    { namespace, id }: NamedContainer,
    args: readonly string[],
    socket: Parameters<typeof runTerminal>[0],
  ): Promise<void> {
    const { address, fifoDirectory, log } = this.#options
    await using client = ownClient(address, namespace)
    const exec = async (signal: AbortSignal): Promise<ProcessHandle> => {
      await using task = await client.container(id).task({ signal })
      const terminal = { terminal: true, stdin: true, env: ['TERM=xterm-256color'] }
      return await task.exec({ ...terminal, args, fifoDirectory, signal })
    }
    await runTerminal(socket, { exec, stopping: this.#stopping.signal, log })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
  }
}
