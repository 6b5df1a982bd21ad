import type { Socket } from 'node:net'
import { peerProcess } from '@nsbox/sys/descriptors'
import { socketDescriptor } from '../socket-descriptor.ts'

/**
 * How many wasted calls a client may make at once, and per second. A call that it resets before the answer counts as
 * one, and so does a connection without any call. A request that is much larger than needed, or never completed, counts
 * by its pieces. A program that is stopped cancels many calls at once, but none does so all the time.
 */
const burst = 2000
const perSecond = 50

/** How long such a client is paused, the first time and at most, in milliseconds. */
const firstPause = 1000
const longestPause = 32_000

/** Milliseconds without a pause after which the next one is short again. */
const forgetAfter = 120_000

/** The most connections of one client, and the most that wait for its pause to end. */
const maxConnections = 128
const maxWaiting = 16

/** The state of one client: of all connections of a process or an address. */
interface Client {
  /** Functions that close its registered connections. */
  readonly connections: Set<() => void>
  /** All that are open. */
  open: number
  allowance: number
  updated: number
  pause: number
  pausedUntil: number
  waiting: number
  isLeaving: boolean
}

/** Options for tests. */
export interface ConductOptions {
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: () => number
  /** Identifies the client of a connection. */
  readonly clientOf?: (socket: Socket) => unknown
}

/**
 * Limits wasted work for each client. All clients share one event loop, and one that resets thousands of calls, or
 * sends requests of many megabytes again and again, would block the others. Its connections are closed and it is paused
 * for a while, longer each time.
 */
export class Conduct {
  readonly #now: () => number
  readonly #clientOf: (socket: Socket) => unknown
  readonly #clients = new Map<unknown, Client>()
  readonly #connections = new WeakMap<object, Client>()

  constructor({ now = () => performance.now(), clientOf = peerOf }: ConductOptions = {}) {
    this.#now = now
    this.#clientOf = clientOf
  }

  /**
   * Calls back when a connection may be served: at once unless the client is paused. If the client has too many
   * connections, this one is closed.
   * @param access tells, once the connection has closed, whether there was a call on it
   */
  admit(socket: Socket, access: { readonly wasUsed: boolean }, onAdmit: () => void): void {
    const key = this.#clientOf(socket)
    const client = this.#client(key)
    if (client.open >= maxConnections) {
      this.#fault(client, 1)
      socket.destroy()
      return
    }
    client.open++
    socket.once('close', () => {
      client.open--
      if (!access.wasUsed) this.#fault(client, 1)
      this.#forget(key, client)
    })
    this.#admitLater(client, socket, onAdmit)
  }

  #admitLater(client: Client, socket: Socket, onAdmit: () => void): void {
    const wait = client.pausedUntil - this.#now()
    if (wait <= 0) {
      onAdmit()
      return
    }
    if (client.waiting >= maxWaiting) {
      socket.destroy()
      return
    }
    client.waiting++
    const leave = () => {
      clearTimeout(timer)
      socket.off('close', leave)
      client.waiting--
    }
    const timer = setTimeout(() => {
      leave()
      this.#admitLater(client, socket, onAdmit)
    }, wait)
    socket.once('close', leave)
  }

  /**
   * Registers a connection of a client.
   * @param connection the object to pass to `fault`
   * @param cutOff closes it
   */
  introduce(connection: object, socket: Socket, cutOff: () => void): void {
    const client = this.#client(this.#clientOf(socket))
    this.#connections.set(connection, client)
    client.connections.add(cutOff)
    socket.once('close', () => client.connections.delete(cutOff))
  }

  /** Counts wasted work on a connection, in calls. */
  fault(connection: object, weight = 1): void {
    const client = this.#connections.get(connection)
    if (client !== undefined) this.#fault(client, weight)
  }

  #fault(client: Client, weight: number): void {
    this.#refill(client)
    client.allowance -= weight
    if (client.allowance < 0) this.#pause(client)
  }

  #client(key: unknown): Client {
    let client = this.#clients.get(key)
    if (client === undefined) {
      const updated = this.#now()
      client = {
        connections: new Set(),
        open: 0,
        allowance: burst,
        updated,
        pause: firstPause,
        pausedUntil: Number.NEGATIVE_INFINITY,
        waiting: 0,
        isLeaving: false,
      }
      this.#clients.set(key, client)
    }
    return client
  }

  #refill(client: Client): void {
    const now = this.#now()
    client.allowance = Math.min(burst, client.allowance + ((now - client.updated) / 1000) * perSecond)
    client.updated = now
  }

  #pause(client: Client): void {
    const now = this.#now()
    if (now < client.pausedUntil) return
    if (now - client.pausedUntil > forgetAfter) client.pause = firstPause
    client.pausedUntil = now + client.pause
    client.pause = Math.min(longestPause, 2 * client.pause)
    // Enough after a pause for a client that behaves again.
    client.allowance = burst / 8
    for (const cutOff of [...client.connections]) cutOff()
  }

  /** Forgets a client that has no connections, once there is nothing to remember. */
  #forget(key: unknown, client: Client): void {
    if (client.open > 0 || client.isLeaving) return
    this.#refill(client)
    const isClean = client.allowance === burst && this.#now() - client.pausedUntil > forgetAfter
    if (isClean) {
      this.#clients.delete(key)
      return
    }
    client.isLeaving = true
    setTimeout(() => {
      client.isLeaving = false
      this.#forget(key, client)
    }, forgetAfter).unref()
  }
}

/** The other end of a connection: an address, or a process of this host. */
function peerOf(socket: Socket): unknown {
  if (socket.remoteAddress !== undefined) return socket.remoteAddress
  const fd = socketDescriptor(socket)
  if (fd === undefined) return socket
  try {
    return peerProcess(fd)
  } catch {
    return socket
  }
}
