import type { Socket } from 'node:net'
import { errorCode, NsboxError } from '@nsbox/errors'
import { toErrorFields } from '../protocol/error-fields.ts'
import { Link } from '../protocol/link.ts'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import { protocols, request, requests } from '../protocol/requests.ts'
import type { Ends } from '../protocol/roles.ts'
import { checked } from '../protocol/schema.ts'
import type { ManagedProcess } from './managed-process.ts'
import type { ProcessTable } from './process-table.ts'

/** Milliseconds until a connection must say hello. */
const helloTimeout = 10_000

/** The parts of the supervisor that a connection uses. */
export interface ClientConnectionOptions {
  readonly processes: ProcessTable
  /** The supervisor's description of itself. */
  readonly identity: { readonly build: string; readonly cgroup: string; readonly pid: number }
  /** Returns the socket for a client's descriptors, by the token that it has sent there. */
  readonly takePackets: (token: string) => number
  /** The client has said hello. */
  readonly onHello: (connection: ClientConnection) => void
  /** Tells the supervisor to end once it holds no process. */
  readonly onRetire: () => void
  readonly onClosed: (connection: ClientConnection) => void
}

/**
 * The fields and descriptors of an answer. Both are read when the answer is sent: the client ignores earlier notices of
 * the process, and understands later ones.
 */
interface Answer {
  readonly fields?: () => object
  readonly ends?: () => Ends
}

/** One client's connection to the supervisor. A client's messages can only affect the processes that they name. */
export class ClientConnection {
  readonly #options: ClientConnectionOptions
  readonly #link: Link
  readonly #left = new AbortController()
  readonly #greeting: NodeJS.Timeout
  #greeted = false

  constructor(socket: Socket, options: ClientConnectionOptions) {
    this.#options = options
    this.#greeting = setTimeout(() => this.close(), helloTimeout)
    this.#link = new Link(socket, {
      message: (message, ends) => this.#take(message, ends),
      closed: (error) => {
        if (error !== undefined) console.error('a connection ends:', error)
        clearTimeout(this.#greeting)
        // Cancels its launches, which nobody waits for any more, and ends what ends with it.
        this.#left.abort()
        options.onClosed(this)
      },
    })
  }

  notify(notice: object): void {
    this.#link.send(notice)
  }

  close(): void {
    this.#link.close()
  }

  #take(message: object, ends: OwnedEnds): void {
    const { id, method } = checked(request, message)
    if (!this.#greeted && method !== 'hello') throw new NsboxError('invalid_argument', 'no hello')
    this.#answer(method, message, ends).then(
      (answer) => this.#link.send({ reply: id, ...answer.fields?.() }, answer.ends),
      (error) => {
        if (errorCode(error) === 'unknown') console.error(`${method}:`, error)
        this.#link.send({ reply: id, error: toErrorFields(error) })
      },
    )
  }

  /** Starts in the turn in which the message came, so that effects are in the order of messages. */
  async #answer(method: string, message: object, ends: OwnedEnds): Promise<Answer> {
    const { processes, identity, onHello, onRetire, takePackets } = this.#options
    switch (method) {
      case 'hello': {
        const { protocols: known, token } = checked(requests.hello, message)
        const protocol = protocols.find((number) => known.includes(number))
        if (protocol === undefined) throw new NsboxError('unimplemented', `protocols ${known.join(', ')}`)
        this.#link.carryDescriptors(takePackets(token))
        this.#greeted = true
        clearTimeout(this.#greeting)
        onHello(this)
        return { fields: () => ({ protocol, ...identity }) }
      }
      case 'processes':
        for (const process of processes.all())
          this.#link.send({ notice: 'process', record: process.record }, () => process.ends)
        return {}
      case 'launch':
        return started(
          await processes.launch(checked(requests.launch, message), { client: this.#left.signal }),
        )
      case 'cancel':
        processes.cancel(checked(requests.cancel, message).key)
        return {}
      case 'adopt': {
        const process = processes.adopt(checked(requests.adopt, message).record, ends.takeAll(), {
          client: this.#left.signal,
        })
        return { fields: () => ({ record: process.record, holds: [...process.ends.keys()] }) }
      }
      case 'keepStdin': {
        const process = processes.get(checked(requests.keepStdin, message).key)
        process.keepStdin()
        return started(process)
      }
      case 'closeStdin':
        processes.get(checked(requests.closeStdin, message).key).closeStdin()
        return {}
      case 'release':
        await processes.release(checked(requests.release, message).key)
        return {}
      case 'retire':
        onRetire()
        return {}
      default:
        throw new NsboxError('unimplemented', `method ${JSON.stringify(method)}`)
    }
  }
}

function started(process: ManagedProcess): Answer {
  return { fields: () => ({ record: process.record }), ends: () => process.ends }
}
