import { closeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { NsboxError } from '@nsbox/errors'
import { receiveDescriptors, sendDescriptors } from '@nsbox/sys/descriptors'
import * as v from 'valibot'
import { OwnedEnds } from './owned-ends.ts'
import { type Ends, type Role, roles } from './roles.ts'
import { checked, integer, list } from './schema.ts'

const longestLine = 1024 * 1024
const mostUnsent = 16 * 1024 * 1024
const mostQueued = 65_536
const packetSize = 64

/** Fields of a message with descriptors: the number of their packet, and the role of each. */
const announcement = v.object({ packet: integer(), roles: list(v.picklist(roles), roles.length) })

/** Callbacks of a link. */
export interface LinkHandlers {
  /**
   * Handles a message. Descriptors that it has not taken when it returns or throws are closed; if it throws, the link
   * ends.
   */
  message(message: object, ends: OwnedEnds): void
  /** Called once when the link has ended at either side, with the error if there was one. */
  closed(error: Error | undefined): void
}

/**
 * A connection between a client and a supervisor. Messages are lines of JSON in a stream that Node reads. Node cannot
 * receive descriptors, so they go through a second socket, of packets. A message with descriptors is sent after them
 * and names their packet, which can then be read without waiting.
 */
export class Link {
  readonly #socket: Socket
  readonly #handlers: LinkHandlers
  readonly #queue: { readonly text: string; readonly ends: (() => Ends) | undefined }[] = []
  /** Characters that wait in the queue. */
  #queued = 0
  #packets: number | undefined
  #sent = 0
  #received = 0
  /** The pieces of an incomplete line. */
  #pieces: string[] = []
  #length = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(socket: Socket, handlers: LinkHandlers) {
    this.#socket = socket
    this.#handlers = handlers
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => this.#read(text))
    socket.on('error', (error) => this.close(error))
    socket.on('close', () => this.close())
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Uses a socket of packets for descriptors; the link closes it. */
  carryDescriptors(packets: number): void {
    if (this.#packets !== undefined) closeSync(this.#packets)
    this.#packets = packets
  }

  /**
   * Sends a message. Unsent messages wait; the link ends if they exceed a bound. On an ended link they are dropped.
   * @param ends called when the message is sent, since descriptors may be closed while it waits
   */
  send(message: object, ends?: () => Ends): void {
    if (this.#closed) return
    const text = JSON.stringify(message)
    this.#queue.push({ text, ends })
    this.#queued += text.length
    if (this.#queue.length > mostQueued || this.#queued + this.#socket.writableLength > mostUnsent)
      this.close(new NsboxError('resource_exhausted', 'the other side of a supervisor’s link does not read'))
    else if (this.#timer === undefined) this.#flush()
  }

  /** Ends the link. Idempotent. */
  close(error?: Error): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    this.#socket.destroy()
    if (this.#packets !== undefined) closeSync(this.#packets)
    this.#handlers.closed(error)
  }

  /** Ends the link after what has been sent. */
  end(): void {
    if (!this.#closed) this.#socket.end()
  }

  #flush(): void {
    this.#timer = undefined
    try {
      for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
        const ends = next.ends?.() ?? new Map<Role, number>()
        if (ends.size > 0 && !this.#sendEnds(ends)) {
          // There is no event for it: the other side makes room as it reads.
          this.#timer = setTimeout(() => this.#flush(), 5)
          return
        }
        const packet = ends.size > 0 ? JSON.stringify({ packet: this.#sent, roles: [...ends.keys()] }) : '{}'
        this.#queue.shift()
        this.#queued -= next.text.length
        this.#socket.write(`${merged(next.text, packet)}\n`)
      }
    } catch (error) {
      this.close(error as Error)
    }
  }

  #sendEnds(ends: Ends): boolean {
    if (this.#packets === undefined) throw new NsboxError('internal', 'descriptors before a hello')
    if (!sendDescriptors(this.#packets, Buffer.from(String(this.#sent + 1)), [...ends.values()])) return false
    this.#sent++
    return true
  }

  #read(text: string): void {
    if (this.#closed) return
    // Earlier pieces are not searched again: a line may come in any number of pieces.
    const [first, ...others] = text.split('\n')
    try {
      this.#add(first!)
      for (const piece of others) {
        const line = this.#pieces.join('')
        this.#pieces = []
        this.#length = 0
        this.#take(line)
        if (this.#closed) return
        this.#add(piece)
      }
    } catch (error) {
      this.close(error as Error)
    }
  }

  #add(piece: string): void {
    this.#length += piece.length
    if (this.#length > longestLine)
      throw new NsboxError('invalid_argument', 'message of a supervisor: too long')
    if (piece !== '') this.#pieces.push(piece)
  }

  #take(line: string): void {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (cause) {
      throw new NsboxError('invalid_argument', 'message of a supervisor: no JSON', { cause })
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new NsboxError('invalid_argument', 'message of a supervisor: no object')
    const ends = new OwnedEnds(Object.hasOwn(value, 'packet') ? this.#receiveEnds(value) : undefined)
    try {
      this.#handlers.message(value, ends)
    } finally {
      ends.closeAll()
    }
  }

  #receiveEnds(message: object): Map<Role, number> {
    const { packet, roles: names } = checked(announcement, message)
    if (new Set(names).size !== names.length)
      throw new NsboxError('invalid_argument', 'message of a supervisor: two descriptors for the same')
    const received = this.#packets === undefined ? 'nothing' : receiveDescriptors(this.#packets, packetSize)
    if (typeof received === 'string')
      throw new NsboxError('invalid_argument', 'message of a supervisor: no descriptors')
    const { bytes, descriptors } = received
    const expected = ++this.#received
    if (
      packet !== expected ||
      Buffer.from(bytes).toString() !== String(packet) ||
      descriptors.length !== names.length
    ) {
      for (const fd of descriptors) closeSync(fd)
      throw new NsboxError('invalid_argument', 'message of a supervisor: other descriptors')
    }
    return new Map(names.map((name, index) => [name, descriptors[index]!]))
  }
}

/** Merges two JSON objects. */
function merged(first: string, second: string): string {
  if (first === '{}') return second
  return second === '{}' ? first : `${first.slice(0, -1)},${second.slice(1)}`
}
