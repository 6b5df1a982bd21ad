import { randomBytes } from 'node:crypto'
import { closeSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import { connectUnix, isReady, peerProcess, sendDescriptors } from '@nsbox/sys/descriptors'
import { openPidfd, signalPidfd } from '@nsbox/sys/processes'
import { answer, identity } from '../protocol/answers.ts'
import { files } from '../protocol/directory-layout.ts'
import { fromErrorFields } from '../protocol/error-fields.ts'
import { Link } from '../protocol/link.ts'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import { type Method, protocols } from '../protocol/requests.ts'
import type { Ends } from '../protocol/roles.ts'
import { checked } from '../protocol/schema.ts'

/** Handlers of a supervisor's notices; descriptors that they do not take are closed. */
export interface SupervisorConnectionHandlers {
  notice(link: SupervisorConnection, message: object, ends: OwnedEnds): void
  /** The connection has ended without being closed here. */
  lost(link: SupervisorConnection, error: Error | undefined): void
}

/** Options of a request. */
export interface RequestOptions<T> {
  /** Descriptors to send; called when the request is sent. */
  readonly ends?: (() => Ends) | undefined
  /**
   * Handles the answer and takes its descriptors, before any later message. If it throws, the link ends. By default the
   * call resolves to nothing.
   */
  readonly accept?: ((answer: object, ends: OwnedEnds) => T) | undefined
  /** Milliseconds, after which the supervisor counts as lost. */
  readonly timeout?: number | undefined
}

interface Waiting {
  readonly accept: (answer: object, ends: OwnedEnds) => void
  readonly reject: (error: unknown) => void
  readonly timer: NodeJS.Timeout
}

/** A client's connection to one supervisor. */
export class SupervisorConnection {
  readonly directory: string
  readonly #handlers: SupervisorConnectionHandlers
  readonly #answerTimeout: number
  readonly #link: Link
  readonly #waiting = new Map<number, Waiting>()
  #requests = 0
  #closing = false
  #retired = false
  #pidfd: number | undefined
  #build = ''
  #cgroup = ''
  #pid = 0

  /**
   * Connects to the supervisor of a directory.
   * @throws `unavailable` if none is there; `failed_precondition` for one of a newer program, which knows no protocol
   *   of this one
   */
  static async connect(
    directory: string,
    handlers: SupervisorConnectionHandlers,
    answerTimeout: number,
  ): Promise<SupervisorConnection> {
    const token = randomBytes(16).toString('hex')
    let packets: number | undefined
    try {
      packets = connectUnix(join(directory, files.descriptors), 'packets')
      const peer = peerProcess(packets)
      sendDescriptors(packets, Buffer.from(token), [])
      const socket = connect(join(directory, files.control))
      await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
      const link = new SupervisorConnection(directory, socket, handlers, answerTimeout)
      link.#link.carryDescriptors(packets)
      packets = undefined
      await link.#greet(token, peer)
      return link
    } catch (error) {
      if (packets !== undefined) closeSync(packets)
      const cause = fromSystemError(error, 'connecting')
      if (error instanceof NsboxError && error.code === 'unimplemented') {
        throw new NsboxError(
          'failed_precondition',
          `the supervisor in ${directory} is of a newer program and does not know protocol ${protocols.join(', ')}: ` +
            'use a newer program',
          { cause },
        )
      }
      throw new NsboxError('unavailable', `supervisor in ${directory}`, { cause })
    }
  }

  private constructor(
    directory: string,
    socket: ReturnType<typeof connect>,
    handlers: SupervisorConnectionHandlers,
    answerTimeout: number,
  ) {
    this.directory = directory
    this.#answerTimeout = answerTimeout
    this.#handlers = handlers
    socket.removeAllListeners('error')
    this.#link = new Link(socket, {
      message: (message, ends) => this.#take(message, ends),
      closed: (error) => this.#closed(error),
    })
  }

  get build(): string {
    return this.#build
  }

  get cgroup(): string {
    return this.#cgroup
  }

  /** The supervisor's process. */
  get pid(): number {
    return this.#pid
  }

  /** Whether it was told to end once it holds no process. */
  get retired(): boolean {
    return this.#retired
  }

  /** Tells the supervisor to end once it holds no process. */
  async retire(): Promise<void> {
    this.#retired = true
    await this.request('retire')
  }

  /** Whether the supervisor's process runs, even if it does not answer. */
  get alive(): boolean {
    return this.#pidfd !== undefined && !isReady(this.#pidfd, 'read')
  }

  /** Kills the supervisor; the processes that it holds go on. */
  kill(): void {
    if (this.#pidfd !== undefined) signalPidfd(this.#pidfd, 9)
  }

  /** Waits, for five seconds at most, until the supervisor's process has ended. */
  async ended(): Promise<void> {
    for (let tries = 0; this.alive && tries < 500; tries++) await delay(10)
  }

  /** @throws the supervisor's error; `unavailable` if it is lost before it answers */
  request<T = void>(
    method: Method,
    fields: object = {},
    { ends, accept = () => undefined as T, timeout = this.#answerTimeout }: RequestOptions<T> = {},
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#link.closed) {
        reject(this.#unavailable())
        return
      }
      const id = ++this.#requests
      const timer = setTimeout(() => this.#link.close(this.#unavailable(`no answer to ${method}`)), timeout)
      const take = (answered: object, given: OwnedEnds) => resolve(accept(answered, given))
      this.#waiting.set(id, { accept: take, reject, timer })
      this.#link.send({ id, method, ...fields }, ends)
    })
  }

  /** Ends the connection; the supervisor goes on. Idempotent. */
  close(): void {
    this.#closing = true
    this.#link.close()
  }

  /** Releases the supervisor's process, after which it cannot be killed or checked. */
  forget(): void {
    this.close()
    if (this.#pidfd !== undefined) closeSync(this.#pidfd)
    this.#pidfd = undefined
  }

  /** @param peer the process that listens, which the supervisor must be: it is killed when it does not answer */
  async #greet(token: string, peer: number): Promise<void> {
    try {
      await this.request(
        'hello',
        { protocols, token },
        {
          accept: (answered) => {
            const { build, cgroup, pid } = checked(identity, answered)
            if (pid !== peer)
              throw new NsboxError('invalid_argument', `supervisor ${peer} that calls itself ${pid}`)
            this.#build = build
            this.#cgroup = cgroup
            this.#pid = pid
            this.#pidfd = openPidfd(pid)
          },
        },
      )
    } catch (error) {
      this.close()
      throw error
    }
  }

  #take(message: object, ends: OwnedEnds): void {
    // A malformed answer ends the link, and so rejects the request.
    const { reply: id, error } = checked(answer, message)
    if (id === undefined) {
      this.#handlers.notice(this, message, ends)
      return
    }
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    if (error === undefined) waiting.accept(message, ends)
    else waiting.reject(fromErrorFields(error))
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
  }

  #closed(error: Error | undefined): void {
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer)
      reject(this.#unavailable())
    }
    this.#waiting.clear()
    if (!this.#closing) this.#handlers.lost(this, error)
  }

  #unavailable(why = 'it is gone'): NsboxError {
    return new NsboxError('unavailable', `supervisor in ${this.directory}: ${why}`)
  }
}
