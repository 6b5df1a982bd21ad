import type { Socket } from 'node:net'
import { errorCode, NsboxError } from '@nsbox/errors'
import { errorFields } from '../protocol/error-fields.ts'
import type { Fields } from '../protocol/fields.ts'
import { readLaunchMessage } from '../protocol/launch-message.ts'
import { Link } from '../protocol/link.ts'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import { readProcessRecord } from '../protocol/process-record.ts'
import { protocols } from '../protocol/protocols.ts'
import type { Ends } from '../protocol/roles.ts'
import type { ManagedProcess } from './managed-process.ts'
import type { ProcessTable } from './process-table.ts'

/** Milliseconds in which a connection must say hello. */
const helloTimeout = 10_000

/** What a session asks of the supervisor. */
export interface ClientConnectionOptions {
  readonly processes: ProcessTable
  /** What the supervisor says of itself. */
  readonly identity: { readonly build: string; readonly cgroup: string; readonly pid: number }
  /** The socket that a daemon's descriptors come through, by the token that it has sent there. */
  readonly takePackets: (token: string) => number
  /** The daemon has said hello. */
  readonly onHello: (session: ClientConnection) => void
  /** The supervisor is to end once it holds nothing. */
  readonly onRetire: () => void
  /** Something was forgotten, so that the supervisor may be of no more use. */
  readonly onReleased: () => void
  readonly onClosed: (session: ClientConnection) => void
}

/**
 * What a request is answered with, and the descriptors that go along. Both are asked for when the answer is sent: what was
 * told of the process before has not been understood, what is told afterwards will be.
 */
interface Answer {
  readonly fields?: () => object
  readonly ends?: () => Ends
}

/** One daemon's connection to the supervisor. Whatever a daemon sends, no process is hurt but those that it names. */
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
      message: (fields, ends) => this.#take(fields, ends),
      closed: (error) => {
        if (error !== undefined) console.error('a connection ends:', error)
        clearTimeout(this.#greeting)
        // Nobody waits for what its launches make.
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

  #take(fields: Fields, ends: OwnedEnds): void {
    const id = fields.count('id')
    const method = fields.string('method', 64)
    if (!this.#greeted && method !== 'hello') throw new NsboxError('invalid_argument', 'no hello')
    this.#answer(method, fields, ends).then(
      (answer) => this.#link.send({ reply: id, ...answer.fields?.() }, answer.ends),
      (error) => {
        if (errorCode(error) === 'unknown') console.error(`${method}:`, error)
        this.#link.send({ reply: id, error: errorFields(error) })
      },
    )
  }

  /** Begins in the same turn as the message came, so that what it does is in the order of messages. */
  async #answer(method: string, fields: Fields, ends: OwnedEnds): Promise<Answer> {
    const { processes, identity, onHello, onReleased, onRetire, takePackets } = this.#options
    switch (method) {
      case 'hello': {
        const known = fields.counts('protocols', 100)
        const protocol = protocols.find((number) => known.includes(number))
        if (protocol === undefined) throw new NsboxError('unimplemented', `protocols ${known.join(', ')}`)
        this.#link.carryDescriptors(takePackets(fields.string('token', 128)))
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
        return started(await processes.launch(readLaunchMessage(fields), { signal: this.#left.signal }))
      case 'cancel':
        processes.cancel(fields.string('key', 512))
        return {}
      case 'adopt': {
        const process = processes.adopt(readProcessRecord(fields.object('record')), ends.takeAll())
        return { fields: () => ({ record: process.record, holds: [...process.ends.keys()] }) }
      }
      case 'keepStdin': {
        const process = processes.get(fields.string('key', 512))
        process.keepStdin()
        return started(process)
      }
      case 'closeStdin':
        processes.get(fields.string('key', 512)).closeStdin()
        return {}
      case 'release':
        await processes.release(fields.string('key', 512))
        onReleased()
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
