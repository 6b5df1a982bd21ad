import type { Socket } from 'node:net'
import { peerProcess } from '@nsbox/sys/descriptors'

/**
 * How much a client may do in vain at once, and in each second: a call that it resets before there is an answer is one, a
 * connection without any call is one, and a request that is much larger than any of its kind need be, or whose end does
 * not come, as many as it has pieces. Programs that are stopped cancel many
 * calls at once, none does so all the time.
 */
const burst = 2000
const perSecond = 50

/** How long a client that has done more is not listened to, the first time and at most, in milliseconds. */
const firstPause = 1000
const longestPause = 32_000

/** After how long without a pause the next one is short again, in milliseconds. */
const forgetAfter = 120_000

/** The most connections of one client, and of those the most that wait for a pause to end. */
const maxConnections = 128
const maxWaiting = 16

/** What is remembered of one client: of all connections of a process, or of an address. */
interface Client {
  /** What ends each connection that has been introduced. */
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
  /** What tells clients apart. */
  readonly clientOf?: (socket: Socket) => unknown
}

/**
 * Keeps account of what clients do in vain. All of them share one event loop, and a client that resets its calls by the
 * thousand, or sends requests of many megabytes again and again, would take it from the others. Its connections are cut off,
 * and it is not listened to for a while, longer each time.
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
   * Calls back when a connection may be listened to, which is at once but for clients that are paused. One that is too many
   * for its client is closed.
   * @param access whether there was a call on it, once it has closed
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
   * Takes down a connection as one of a client's.
   * @param connection what is given to `fault`
   * @param cutOff ends it
   */
  introduce(connection: object, socket: Socket, cutOff: () => void): void {
    const client = this.#client(this.#clientOf(socket))
    this.#connections.set(connection, client)
    client.connections.add(cutOff)
    socket.once('close', () => client.connections.delete(cutOff))
  }

  /** Something was done in vain on a connection, worth so many calls. */
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
    // Enough for who has come to its senses.
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
  const { fd } = (socket as { _handle?: { fd?: number } })._handle ?? {}
  if (fd === undefined || fd < 0) return socket
  try {
    return peerProcess(fd)
  } catch {
    return socket
  }
}
