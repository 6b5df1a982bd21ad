import type { Socket } from 'node:net'
import { Secrets } from './secrets.ts'

/** How long a link that opens the page is valid, and how many there are at once. */
const links = { lifetime: 60_000, most: 16 }

/** How long a browser that has opened the page may use it, and how many there are at once. */
const lives = { lifetime: 12 * 60 * 60_000, most: 64 }

/** A browser that has opened the page. */
export class PageSession {
  readonly #sockets = new Set<Socket>()
  readonly #timer: NodeJS.Timeout

  /** @param lifetime milliseconds until its connections are closed */
  constructor(lifetime: number) {
    this.#timer = setTimeout(() => this.end(), lifetime).unref()
  }

  /** Counts a connection to the session that has sent one of its requests. */
  uses(socket: Socket): void {
    if (this.#sockets.has(socket)) return
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** Closes its connections. */
  end(): void {
    clearTimeout(this.#timer)
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** Options for tests. */
export interface PageSessionsOptions {
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: (() => number) | undefined
}

/** Who may use the page: links for one use, which become sessions. Both end with the server. */
export class PageSessions {
  readonly #tokens: Secrets<true>
  readonly #sessions: Secrets<PageSession>

  constructor({ now }: PageSessionsOptions = {}) {
    this.#tokens = new Secrets({ ...links, now })
    this.#sessions = new Secrets({ ...lives, now, onEnd: (session) => session.end() })
  }

  /** A token for one use. */
  issueToken(): string {
    return this.#tokens.issue(true)
  }

  /** Makes a session of a token. @returns its secret; undefined if the token is not valid */
  redeem(token: string): string | undefined {
    return this.#tokens.take(token) && this.#sessions.issue(new PageSession(lives.lifetime))
  }

  /** The session of the first of these secrets that is valid. */
  find(secrets: readonly string[]): PageSession | undefined {
    for (const secret of secrets.slice(0, 4)) {
      const session = this.#sessions.find(secret)
      if (session !== undefined) return session
    }
    return undefined
  }
}
