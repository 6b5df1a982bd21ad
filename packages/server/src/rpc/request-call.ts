import { Code, ConnectError } from '@connectrpc/connect'
import { onAbort } from '@nsbox/concurrency'
import { DisposableStack } from '@whatwg-node/disposablestack'
import type { CallBudgets } from './call-budgets.ts'
import { clientGone } from './client-gone.ts'
import type { Conduct } from './conduct.ts'
import type { MessageOwner } from './message-reader.ts'

/** The parts of a call. */
export interface RequestCallOptions {
  readonly connection: object
  readonly budgets: CallBudgets
  readonly conduct: Pick<Conduct, 'fault'>
  readonly maxRequestBytes: number
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal
  /** Milliseconds that the client may take for a message. */
  readonly patience: number
}

/** A call as a Node request, with the resources that it holds. */
export class RequestCall implements MessageOwner, Disposable {
  readonly connection: object
  readonly budgets: CallBudgets
  readonly conduct: Pick<Conduct, 'fault'>
  readonly maxRequestBytes: number
  /** Resources that are released at the call's end. */
  readonly held: DisposableStack = new DisposableStack()
  readonly #controller = new AbortController()
  readonly #patience: number
  #timer: NodeJS.Timeout | undefined

  constructor({ connection, budgets, conduct, maxRequestBytes, signal, patience }: RequestCallOptions) {
    this.#patience = patience
    this.connection = connection
    this.budgets = budgets
    this.conduct = conduct
    this.maxRequestBytes = maxRequestBytes
    this.held.use(onAbort(signal, () => this.abort(clientGone)))
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason)
  }

  expect(): void {
    const text = `a message did not come within ${this.#patience / 1000} seconds`
    this.#timer ??= setTimeout(
      () => this.abort(new ConnectError(text, Code.DeadlineExceeded)),
      this.#patience,
    )
  }

  expectNothing(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  [Symbol.dispose](): void {
    this.expectNothing()
    this.held.dispose()
  }
}
