import { setMaxListeners } from 'node:events'
import type { Socket } from 'node:net'
import { Code, ConnectError } from '@connectrpc/connect'
import { decodeMessage } from '@nsbox/api'
import { RequestSchema } from '@nsbox/api/gen/ttrpc/request_pb'
import { Backlog } from '../backlog.ts'
import { type Frame, frameFlags, frameTypes, tooLarge } from '../frame.ts'
import { FrameWriter } from '../frame-writer.ts'
import { readFrames } from '../read-frames.ts'
import type { ImplementedService } from './implement-service.ts'
import { answerError, ServerCall } from './server-call.ts'

/** The most calls of one connection at a time, and the most bytes of their requests. */
const maxCalls = 1024
const maxCallBytes = 16 << 20

/** A client's connection: its calls run concurrently, and are aborted when it disconnects. */
export class ServerConnection {
  /** Resolves when the connection has ended, and all its calls. */
  readonly ended: Promise<void>
  readonly #socket: Socket
  readonly #services: ReadonlyMap<string, ImplementedService>
  readonly #writer: FrameWriter
  readonly #backlog = new Backlog()
  readonly #calls = new Map<number, ServerCall>()
  readonly #gone = new AbortController()
  #callBytes = 0
  #lastId = 0

  constructor(socket: Socket, services: ReadonlyMap<string, ImplementedService>) {
    this.#socket = socket
    this.#services = services
    this.#writer = new FrameWriter(socket)
    // Errors also end the connection, which is handled.
    socket.on('error', () => {})
    // Every call listens to it.
    setMaxListeners(0, this.#gone.signal)
    this.ended = this.#run()
  }

  /** Aborts all calls and ends the connection. */
  async close(): Promise<void> {
    this.#gone.abort(new ConnectError('the server is shutting down: unavailable', Code.Unavailable))
    this.#socket.destroy()
    await this.ended
  }

  async #run(): Promise<void> {
    try {
      for await (const frame of readFrames(this.#socket)) {
        await this.#take(frame)
        await this.#backlog.room()
      }
    } catch {
      // Nobody is left to report it to.
    }
    this.#gone.abort(new ConnectError('ttrpc: closed: canceled', Code.Canceled))
    this.#socket.destroy()
    await Promise.all([...this.#calls.values()].map(({ ended }) => ended))
  }

  /** A fault is answered on its own stream, and does not affect others. */
  async #take(frame: Frame): Promise<void> {
    const { streamId, type } = frame
    try {
      if (streamId % 2 !== 1) throw invalid('the number of a client’s stream must be odd')
      if (type === frameTypes.data) this.#takeData(frame)
      else if (type === frameTypes.request) this.#begin(frame)
    } catch (error) {
      await answerError(this.#writer, streamId, error)
    }
  }

  #takeData(frame: Frame): void {
    const call = this.#calls.get(frame.streamId)
    if (call === undefined) throw invalid('the stream is not there any more')
    if (frame.isTooLarge) call.inbox.fail(tooLarge())
    else if ((frame.flags & frameFlags.noData) === 0) call.inbox.push(frame)
    if ((frame.flags & frameFlags.remoteClosed) !== 0) call.inbox.close()
  }

  #begin(frame: Frame): void {
    const { streamId, data } = frame
    if (streamId <= this.#lastId) throw invalid('the number of a stream must be higher than all before')
    this.#lastId = streamId
    if (frame.isTooLarge) throw tooLarge()
    // Waiting would be wrong: running calls may need the next frames, and a client that disconnects would not be
    // noticed.
    if (this.#calls.size >= maxCalls || this.#callBytes + data.byteLength > maxCallBytes) {
      const message = `more than ${maxCalls} calls, or ${maxCallBytes} bytes of them: resource exhausted`
      throw new ConnectError(message, Code.ResourceExhausted)
    }
    const request = decodeMessage(RequestSchema, data)
    const spec = this.#services.get(request.service)?.methods.get(request.method)
    if (spec === undefined)
      throw new ConnectError(
        `${JSON.stringify(`${request.service}/${request.method}`.slice(0, 256))}: not implemented`,
        Code.Unimplemented,
      )
    const { signal } = this.#gone
    const call = new ServerCall({
      frame,
      request,
      spec,
      writer: this.#writer,
      backlog: this.#backlog,
      signal,
    })
    this.#calls.set(streamId, call)
    this.#callBytes += data.byteLength
    void call.ended.then(() => {
      this.#calls.delete(streamId)
      this.#callBytes -= data.byteLength
    })
  }
}

function invalid(what: string): ConnectError {
  return new ConnectError(`ttrpc: ${what}: invalid argument`, Code.InvalidArgument)
}
