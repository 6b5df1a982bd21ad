import { Code, ConnectError } from '@connectrpc/connect'
import { fromConnectError } from '@nsbox/api'
import { onAbort } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import type { Session } from './session.ts'

/** Codes that a transport also uses when a stream or its connection breaks. */
const lost: readonly Code[] = [Code.Canceled, Code.Aborted, Code.Unavailable]

/**
 * One call. Disposing of it resets the stream, if that has not ended, and removes its listener from the caller's
 * signal.
 */
export class Call implements Disposable {
  readonly #session: Session
  readonly #callers: AbortSignal | undefined
  readonly #listening: Disposable
  readonly #controller = new AbortController()

  /** @throws the signal's reason if it is aborted already */
  constructor(session: Session, { signal }: AbortOptions) {
    signal?.throwIfAborted()
    this.#session = session
    this.#callers = signal
    this.#listening = onAbort(signal, () => this.#cancel())
  }

  /** Aborted when the call has to end. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The error to throw in place of one of the transport. */
  reasonOf(error: unknown): unknown {
    if (this.#callers?.aborted) return this.#callers.reason
    if (!(error instanceof ConnectError)) return error
    if (isNsboxError(error.cause)) return error.cause
    if (error.metadata.has('grpc-status')) return fromConnectError(error)
    const { address, closed } = this.#session
    if (closed) return new NsboxError('canceled', `client of ${address} was closed`, { cause: error })
    if (!lost.includes(error.code)) return fromConnectError(error)
    return new NsboxError('unavailable', `connection to ${address} lost: ${error.rawMessage}`, {
      cause: error,
      details: { address },
    })
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]()
    this.#cancel()
  }

  #cancel(): void {
    // For any reason but a canceled ConnectError, the transport resets the stream as for an internal error.
    if (!this.#controller.signal.aborted) this.#controller.abort(new ConnectError('canceled', Code.Canceled))
  }
}
