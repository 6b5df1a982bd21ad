import { Code, ConnectError } from '@connectrpc/connect'
import { abortable } from '@nsbox/concurrency'
import type { CallBudgets } from './call-budgets.ts'
import { clientGone } from './client-gone.ts'
import type { Conduct } from './conduct.ts'

/** Flags and length, before each message. */
export const headBytes = 5

/** The most bytes that a client sends of a stream before some of them are taken: the window of HTTP/2. */
export const windowBytes = 64 << 10

/** Takes the held bytes, to release them in time. */
export interface Holder {
  use(resource: Disposable): unknown
}

/** The call whose messages are read. */
export interface MessageOwner {
  /** The connection of the call. */
  readonly connection: object
  readonly budgets: CallBudgets
  readonly conduct: Pick<Conduct, 'fault'>
  readonly maxRequestBytes: number
  /** Aborted when the call ends. */
  readonly signal: AbortSignal
  /** Ends the call. */
  abort(reason: unknown): void
  /** Starts the time-out for a message, or the rest of one. */
  expect(): void
  /** Stops the time-out. */
  expectNothing(): void
}

/** Reads messages that come in pieces, only as budgets allow. */
export class MessageReader implements Disposable {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #owner: MessageOwner
  readonly #maxBytes: number
  #rest: Uint8Array

  /**
   * @param options.first bytes that were received already
   * @param options.maxBytes limit of a message, if it is less than that of the method
   */
  constructor(
    pieces: AsyncIterator<Uint8Array>,
    owner: MessageOwner,
    {
      first = new Uint8Array(0),
      maxBytes = owner.maxRequestBytes,
    }: { first?: Uint8Array; maxBytes?: number } = {},
  ) {
    this.#pieces = pieces
    this.#owner = owner
    this.#rest = first
    this.#maxBytes = maxBytes
  }

  /** Whether there are more bytes; waits for one, or the end. */
  async more(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const piece = await this.#next()
      if (piece === undefined) return false
      this.#rest = piece
    }
    return true
  }

  /**
   * The next message; undefined if there are no more.
   *
   * @param held takes the message's part of the budgets
   * @throws `resource_exhausted` for more bytes than allowed, `internal` for a message that is compressed,
   * `invalid_argument` for one that is cut off; the reason if the call is aborted
   */
  async next(held: Holder): Promise<Uint8Array | undefined> {
    return (await this.nextFrame(held))?.subarray(headBytes)
  }

  /** The next message after its head; otherwise as `next`. */
  async nextFrame(held: Holder): Promise<Uint8Array | undefined> {
    if (!(await this.more())) return undefined
    while (this.#rest.length < headBytes) this.#rest = Buffer.concat([this.#rest, await this.#needed()])
    const length = headBytes + messageLength(this.#rest, this.#maxBytes)
    if (this.#rest.length < length) return await this.#gather(length, held)
    const frame = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return frame
  }

  /**
   * All bytes to the end, as one message.
   * @throws `resource_exhausted` for more bytes than allowed; the reason if the call is aborted
   */
  async rest(held: Holder): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    let length = 0
    for (let isLarge = false; await this.more(); this.#rest = new Uint8Array(0)) {
      pieces.push(this.#rest)
      length += this.#rest.length
      if (length > this.#maxBytes) throw tooLarge(length, this.#maxBytes)
      if (isLarge || length <= windowBytes) continue
      // The length is not known.
      isLarge = true
      await this.#reserve(2 * this.#maxBytes, held)
    }
    return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
  }

  /** Releases the pieces once nothing waits for them. */
  [Symbol.dispose](): void {
    this.#pieces.return?.().catch(() => undefined)
  }

  async #gather(length: number, held: Holder): Promise<Uint8Array> {
    await this.#reserve(length - headBytes, held)
    // In an allocation of its own, so that it can be freed as a whole. Pages take memory only once they are written.
    const message = Buffer.allocUnsafeSlow(length)
    let filled = 0
    try {
      for (;;) {
        const taken = this.#rest.subarray(0, length - filled)
        message.set(taken, filled)
        filled += taken.length
        this.#rest = this.#rest.subarray(taken.length)
        if (filled === length) return message
        this.#rest = await this.#needed()
      }
    } catch (error) {
      const { conduct, connection } = this.#owner
      conduct.fault(connection, Math.ceil(filled / windowBytes))
      throw error
    }
  }

  async #reserve(length: number, held: Holder): Promise<void> {
    const { connection, budgets, signal } = this.#owner
    const evict = (reason: unknown) => this.#owner.abort(reason)
    // Bytes that may arrive while it waits.
    using _window = budgets.arriving.take(connection, Math.min(length, windowBytes), evict)
    this.#owner.expectNothing()
    held.use(await budgets.requests.wait(connection, length, evict, signal))
    this.#owner.expect()
  }

  async #needed(): Promise<Uint8Array> {
    const piece = await this.#next()
    if (piece === undefined)
      throw new ConnectError('protocol error: incomplete message', Code.InvalidArgument)
    return piece
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { value, done } = await abortable(this.#pieces.next(), this.#owner).catch(() => {
      // A stream that breaks, in any way and with any code, was ended by the client.
      throw this.#owner.signal.aborted ? this.#owner.signal.reason : clientGone
    })
    return done === true ? undefined : value
  }
}

/**
 * The length of a message, from its head.
 * @throws `resource_exhausted` if it is more than allowed, `internal` if the message is compressed
 */
function messageLength(head: Uint8Array, max: number): number {
  const length = new DataView(head.buffer, head.byteOffset).getUint32(1)
  if (length > max) throw tooLarge(length, max)
  if ((head[0]! & 1) === 1)
    throw new ConnectError('protocol error: compressed message without an encoding', Code.Internal)
  return length
}

function tooLarge(length: number, max: number): ConnectError {
  return new ConnectError(
    `message size ${length} is larger than the ${max} bytes allowed`,
    Code.ResourceExhausted,
  )
}

/** Up to this size requests are common, in bytes. */
const commonBytes = 1 << 20

/** Counts an unusually large request as wasted work: each 64 KiB of it are as much work as a small call. */
export function accountFor(message: Uint8Array, { connection, conduct }: MessageOwner): void {
  if (message.length > commonBytes) conduct.fault(connection, Math.ceil(message.length / windowBytes))
}
