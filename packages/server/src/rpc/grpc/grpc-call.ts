import type { DescMethod, DescMethodUnary, DescService, Message } from '@bufbuild/protobuf'
import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type HandlerContext,
} from '@connectrpc/connect'
import { parseTimeout } from '@connectrpc/connect/protocol-grpc'
import { DisposableStack } from '@whatwg-node/disposablestack'
import { headerOf, headersKey, type RequestHeaders } from '../call-access.ts'
import type { CallBudgets } from '../call-budgets.ts'
import type { Conduct } from '../conduct.ts'
import type { MessageOwner } from '../message-reader.ts'

/** Node's longest timer, in milliseconds. */
const longestTimer = 2 ** 31 - 1

/** The parts of a call. */
export interface GrpcCallOptions {
  readonly method: DescMethod
  readonly maxRequestBytes: number
  readonly path: string
  readonly headers: RequestHeaders
  /** Its connection. */
  readonly connection: object
  readonly budgets: CallBudgets
  readonly conduct: Pick<Conduct, 'fault'>
}

/**
 * A call for interceptors and implementations. It looks like a unary call even if it has many requests: those are read
 * with the call's signal, so that no interceptor has to interrupt them, and its message is an iterable then.
 */
export class GrpcCall implements HandlerContext, MessageOwner, Disposable {
  readonly stream = false
  readonly requestMethod = 'POST'
  readonly protocolName = 'grpc'
  readonly service: DescService
  readonly method: DescMethodUnary
  readonly responseHeader: Headers = new Headers()
  readonly responseTrailer: Headers = new Headers()
  /** For implementations; interceptors find the same as `contextValues`. */
  readonly values: ContextValues
  readonly connection: object
  readonly budgets: CallBudgets
  readonly conduct: Pick<Conduct, 'fault'>
  readonly maxRequestBytes: number
  readonly path: string
  /** Called with the reason when the call has to end before its answer. */
  onAbort: ((reason: unknown) => void) | undefined
  readonly #controller = new AbortController()
  #message: Message | AsyncIterable<Message> | undefined
  #over = false
  #deadline: number | undefined
  #timer: NodeJS.Timeout | undefined
  #requestHeader: Headers | undefined
  #held: DisposableStack | undefined
  #expectedSince: number | undefined

  constructor({ method, maxRequestBytes, path, headers, connection, budgets, conduct }: GrpcCallOptions) {
    this.service = method.parent
    // Interceptors may treat it as unary, since there is one request.
    this.method = method as DescMethodUnary
    this.maxRequestBytes = maxRequestBytes
    this.path = path
    this.values = createContextValues().set(headersKey, headers)
    this.connection = connection
    this.budgets = budgets
    this.conduct = conduct
  }

  /** Resources that are released at the call's end. */
  get held(): DisposableStack {
    this.#held ??= new DisposableStack()
    return this.#held
  }

  expect(): void {
    this.#expectedSince ??= performance.now()
  }

  expectNothing(): void {
    this.#expectedSince = undefined
  }

  /** Whether a message, or the rest of one, has been missing for this many milliseconds. */
  isOverdue(patience: number): boolean {
    return this.#expectedSince !== undefined && performance.now() - this.#expectedSince > patience
  }

  /** Starts the timer for the client's deadline, if it has set one. @throws `invalid_argument` for an invalid one */
  expire(): void {
    const { timeoutMs, error } = parseTimeout(headerOf(this, 'grpc-timeout'), Number.MAX_SAFE_INTEGER)
    if (error !== undefined) throw error
    if (timeoutMs === undefined) return
    this.#deadline = Date.now() + timeoutMs
    const end = () => this.abort(new ConnectError('the operation timed out', Code.DeadlineExceeded))
    this.#timer = setTimeout(end, Math.min(timeoutMs, longestTimer))
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The request, or the requests of a call that has many. */
  get message(): Message | AsyncIterable<Message> {
    if (this.#message === undefined) throw new TypeError('the request has not been read')
    return this.#message
  }

  set message(message: Message | AsyncIterable<Message>) {
    this.#message = message
  }

  get header(): Headers {
    this.#requestHeader ??= headersOf(this.values.get(headersKey))
    return this.#requestHeader
  }

  get requestHeader(): Headers {
    return this.header
  }

  get url(): string {
    return `http://localhost${this.path}`
  }

  readonly timeoutMs = (): number | undefined => {
    return this.#deadline === undefined ? undefined : this.#deadline - Date.now()
  }

  get contextValues(): ContextValues {
    return this.values
  }

  /** Aborts the signal, unless the call has been answered. */
  abort(reason: unknown): void {
    if (this.#over || this.#controller.signal.aborted) return
    this.#controller.abort(reason)
    this.onAbort?.(reason)
  }

  /** Called when the call has been answered. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.onAbort = undefined
    this.#over = true
    this.#held?.dispose()
  }
}

function headersOf(headers: RequestHeaders): Headers {
  const result = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue
    if (typeof value === 'string') result.append(name, value)
    else for (const each of value) result.append(name, each)
  }
  return result
}
