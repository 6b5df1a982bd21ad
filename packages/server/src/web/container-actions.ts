import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ContainerHandle } from '@nsbox/client'
import type { AbortOptions } from '@nsbox/core/content'
import { type ErrorCode, errorCode, isNsboxError, NsboxError } from '@nsbox/errors'
import { refuse } from './refusals.ts'

/** Most actions under way: each may take as much of the disk as a container has memory. */
const mostActions = 4

/** Statuses for what is wrong with a request; others are the server's own failures. */
const statuses: Partial<Readonly<Record<ErrorCode, number>>> = {
  invalid_argument: 400,
  not_found: 404,
  already_exists: 409,
  failed_precondition: 409,
}

type Action = (container: ContainerHandle, query: URLSearchParams, options: AbortOptions) => Promise<unknown>

const actions: ReadonlyMap<string, Action> = new Map<string, Action>([
  [
    '/fork',
    (container, query, options) =>
      container.fork({ count: 1, prefix: parameter(query, 'prefix'), ...options }),
  ],
  ['/checkpoint', (container, query, options) => container.checkpoint(parameter(query, 'name'), options)],
])

/** What the page's actions are done by. */
interface ContainerActionsParts {
  /** The server's own socket. */
  readonly address: string
  /** Whether the page may act. */
  readonly write: boolean
}

/**
 * Serves actions that a browser cannot do by calls alone, since they need files on the server's host or streams both
 * ways: `POST /fork?namespace=&container=&prefix=` and `POST /checkpoint?namespace=&container=&name=`. They are done as
 * `ctr` does them, over the server's own socket, and undone when the browser leaves before the answer.
 */
export class ContainerActions {
  readonly #parts: ContainerActionsParts
  #underWay = 0

  constructor(parts: ContainerActionsParts) {
    this.#parts = parts
  }

  /** Whether there is an action at a path. */
  has(pathname: string): boolean {
    return actions.has(pathname)
  }

  /** Does what a request asks for, and answers it. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const action = actions.get(url.pathname)
    if (action === undefined) return refuse(response, 404, 'there is no such action')
    if (request.method !== 'POST') return refuse(response, 405, 'actions are asked for by POST')
    if (!this.#parts.write)
      return refuse(response, 403, 'the page is read-only, since the server runs without --web-write')
    if (this.#underWay === mostActions)
      return refuse(response, 503, `${mostActions} actions are under way already`)
    const left = new AbortController()
    response.once('close', () => left.abort())
    this.#underWay++
    try {
      await this.#act(action, url.searchParams, { signal: left.signal })
      response.writeHead(204).end()
    } catch (error) {
      if (!response.destroyed) refuse(response, statuses[errorCode(error)] ?? 500, words(error))
    } finally {
      this.#underWay--
    }
  }

  async #act(action: Action, query: URLSearchParams, options: AbortOptions): Promise<void> {
    // Loaded only here: few servers show a page, and few pages fork.
    const { connect } = await import('@nsbox/client')
    const { address } = this.#parts
    await using client = connect({ address, namespace: parameter(query, 'namespace') })
    await action(client.container(parameter(query, 'container')), query, options)
  }
}

function parameter(query: URLSearchParams, name: string): string {
  const value = query.get(name)
  if (value) return value
  throw new NsboxError('invalid_argument', `the request has no ${name}`)
}

function words(error: unknown): string {
  return isNsboxError(error) ? error.context : String(error)
}
