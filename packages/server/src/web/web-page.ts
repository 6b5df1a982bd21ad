import { join } from 'node:path'
import type { Interceptor } from '@connectrpc/connect'
import { NsboxError } from '@nsbox/errors'
import type { Logger } from 'pino'
import type { HttpServers } from '../listen/http-servers.ts'
import { parseLoopbackAddress } from '../listen/loopback.ts'
import type { Exposition } from '../metrics/exposition.ts'
import type { RpcHandler } from '../rpc/rpc-handler.ts'
import type { ServerConfig } from '../server.ts'
import type { PageFiles } from './page-files.ts'
import { pageGate } from './page-gate.ts'
import { pageRoutes } from './page-routes.ts'
import { PageSessions } from './page-sessions.ts'
import { Terminals } from './terminals.ts'
import { openWebServer, pageAddress, type WebServer } from './web-server.ts'

/** The settings of the page. */
type WebConfig = Pick<ServerConfig, 'webAddress' | 'webWrite'>

/** A link that opens the page in one browser. */
export interface PageLink {
  readonly url: string
  /** Whether the page may change anything. */
  readonly write: boolean
}

/** What the page is bound with. */
export interface WebPageParts {
  /** Loads the files of the page. */
  readonly files: PageFiles
  /** Of the server's own socket. */
  readonly address: string
  readonly state: string
  /** The metrics of the server. */
  readonly metrics: () => Promise<Exposition>
  /** Makes the handler of its calls. */
  readonly newHandler: (gate: Interceptor) => RpcHandler
  readonly log: Logger
}

/** The page of a server, which is served where the configuration says so. Disposing of it ends logs and terminals. */
export class WebPage implements AsyncDisposable {
  readonly #config: WebConfig
  readonly #sessions = new PageSessions()
  readonly #stopping = new AbortController()
  #terminals: Terminals | undefined
  #server: WebServer | undefined

  /** @throws `invalid_argument` for an address that others than this machine might reach */
  constructor(config: WebConfig) {
    if (config.webAddress !== undefined) parseLoopbackAddress(config.webAddress, pageAddress)
    else if (config.webWrite) throw new NsboxError('invalid_argument', '--web-write needs an address (--web)')
    this.#config = config
  }

  /** Its address, such as `http://127.0.0.1:8080/`; undefined while it is not served. */
  get address(): string | undefined {
    return this.#server && `http://${this.#server.host}/`
  }

  /** Begins to serve it. */
  async bind({ files, address, state, metrics, newHandler, log }: WebPageParts): Promise<void> {
    const { webAddress, webWrite: write = false } = this.#config
    if (webAddress === undefined) return
    if (write) this.#terminals = await Terminals.open({ address, fifoDirectory: join(state, 'fifo'), log })
    const routes = pageRoutes({
      files: await files(),
      handler: newHandler(pageGate({ write })),
      address,
      metrics,
      terminals: this.#terminals,
      stopping: this.#stopping.signal,
      log,
    })
    this.#server = await openWebServer(webAddress, {
      sessions: this.#sessions,
      routes,
      log,
    })
  }

  /** Makes a link for one use. @throws `failed_precondition` if the page is not served */
  link(): PageLink {
    if (this.address === undefined) {
      throw new NsboxError(
        'failed_precondition',
        'the server shows no page: start it with --web 127.0.0.1:0, or set web.address in its configuration',
      )
    }
    const url = `${this.address}?token=${this.#sessions.issueToken()}`
    return { url, write: this.#config.webWrite ?? false }
  }

  /** Its listener, as the others of a server. */
  get listeners(): readonly Pick<HttpServers, 'close' | 'destroy'>[] {
    return this.#server === undefined ? [] : [this.#server]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#terminals?.[Symbol.asyncDispose]()
  }
}
