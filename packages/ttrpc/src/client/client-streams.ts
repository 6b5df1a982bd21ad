import type { Socket } from 'node:net'
import { Code, ConnectError } from '@connectrpc/connect'
import { Backlog } from '../backlog.ts'
import { closedError } from '../closed-error.ts'
import { frameTypes } from '../frame.ts'
import { FrameWriter } from '../frame-writer.ts'
import { Inbox } from '../inbox.ts'
import { readFrames } from '../read-frames.ts'

/** The largest id of a stream. */
const lastId = 0xffffffff

/** A call on the wire. Disposing of it forgets it: the protocol cannot cancel a call on the server. */
export interface ClientStream extends Disposable {
  readonly inbox: Inbox
  /** Sends data. @throws as `FrameWriter.write`; `canceled` once it has been disposed of */
  send(data: Uint8Array, flags: number): Promise<void>
}

/** The calls of one connection. */
export class ClientStreams implements Disposable {
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #writer: FrameWriter
  readonly #backlog = new Backlog()
  readonly #inboxes = new Map<number, Inbox>()
  #nextId = 1
  #isClosed = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.#writer = new FrameWriter(socket)
    this.closed = this.#receive()
  }

  /** Whether the connection has ended; set before any call fails for that. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Begins a call. @param request a `ttrpc.Request`, encoded */
  async open(request: Uint8Array, flags: number): Promise<ClientStream> {
    if (this.#isClosed) throw closedError()
    const streamId = this.#nextId
    if (streamId > lastId) throw new ConnectError('ttrpc: no numbers are left: unavailable', Code.Unavailable)
    const inbox = new Inbox(this.#backlog)
    // Ids must rise on the wire: nothing is awaited between here and the write.
    this.#nextId += 2
    this.#inboxes.set(streamId, inbox)
    const forget = () => {
      this.#inboxes.delete(streamId)
      inbox[Symbol.dispose]()
    }
    try {
      await this.#writer.write({ streamId, type: frameTypes.request, flags, data: request })
    } catch (error) {
      forget()
      throw error
    }
    return {
      inbox,
      send: async (data, flags) => {
        if (!this.#inboxes.has(streamId))
          throw new ConnectError('ttrpc: the call is over: canceled', Code.Canceled)
        await this.#writer.write({ streamId, type: frameTypes.data, flags, data })
      },
      [Symbol.dispose]: forget,
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async #receive(): Promise<void> {
    let reason: unknown
    try {
      for await (const frame of readFrames(this.#socket)) {
        // Otherwise it belongs to a call that was disposed of, or to none.
        this.#inboxes.get(frame.streamId)?.push(frame)
        await this.#backlog.room()
      }
    } catch (error) {
      reason = error
    }
    this.#socket.destroy()
    this.#isClosed = true
    const error = closedError(reason)
    for (const inbox of this.#inboxes.values()) inbox.fail(error)
    this.#inboxes.clear()
  }
}
