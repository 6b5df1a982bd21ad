import type { Socket } from 'node:net'
import { type ClientView, connect } from '@nsbox/client'
import { onAbort } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { type ErrorCode, isNsboxError, NsboxError } from '@nsbox/errors'
import { peerCredentials } from '@nsbox/sys/descriptors'
import type { ProxyPlugin } from '../configuration/proxy-plugin.ts'
import { socketDescriptor } from '../socket-descriptor.ts'

/**
 * How long a plugin may take, in milliseconds. Nobody may have to wait for ever for a process that hangs, and what one
 * does in that time costs nothing here.
 */
export interface PluginDeadlines {
  /** To answer what it only has to look up, and to send the next part of a list; a minute by default. */
  readonly answer: number
  /** To do what may copy or fetch whole trees, or layers, and for all of a list; ten minutes by default. */
  readonly work: number
}

const defaultDeadlines: PluginDeadlines = { answer: 60_000, work: 600_000 }

/** How long it may take to accept a connection and speak HTTP/2, in milliseconds. */
const connectTimeout = 10_000

/** Codes that say something of what was asked for, and nothing of the plugin: they are told as they are. */
const answers: ReadonlySet<ErrorCode> = new Set([
  'invalid_argument',
  'not_found',
  'already_exists',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'resource_exhausted',
])

/** Codes by which a plugin may answer as well; it is named then. */
const answersOfItsOwn: ReadonlySet<ErrorCode> = new Set(['unimplemented', 'unknown'])

/** Most characters of a plugin's error that are told. */
const maxErrorText = 1000

/**
 * The connection to a proxy plugin, over which its calls go. It is opened by the first call, and again by the next
 * after it was lost; a plugin that is not there makes calls fail with `unavailable`. Every call has a deadline. Errors
 * that say something of the plugin name it.
 */
export class PluginConnection implements AsyncDisposable {
  readonly plugin: ProxyPlugin
  readonly #client: ReturnType<typeof connect>
  readonly #deadlines: PluginDeadlines
  #failure: NsboxError | undefined

  constructor(plugin: ProxyPlugin, deadlines: Partial<PluginDeadlines> = {}) {
    this.plugin = plugin
    this.#deadlines = { ...defaultDeadlines, ...deadlines }
    const { address } = plugin
    this.#client = connect({ address, namespace: 'default', connectTimeout, admitPeer, checkAnswers: true })
  }

  /** What was wrong with the plugin at the last call; undefined if it has answered, or was not asked yet. */
  get failure(): NsboxError | undefined {
    return this.#failure
  }

  /** The plugin's services, for calls made by `call`. */
  view(namespace: string, lease?: string): ClientView {
    const view = this.#client.withNamespace(namespace)
    return lease === undefined ? view : view.withLease(lease)
  }

  /**
   * Makes a call. It gets a signal that aborts when the caller's does, or at the deadline.
   * @throws what the plugin answers; `deadline_exceeded`; `unavailable`; `permission_denied` for a plugin that is
   * another user's
   */
  async call<T>(
    kind: keyof PluginDeadlines,
    make: (signal: AbortSignal) => Promise<T>,
    { signal }: AbortOptions = {},
  ): Promise<T> {
    signal?.throwIfAborted()
    const controller = new AbortController()
    using _abort = onAbort(signal, () => controller.abort(signal?.reason))
    using _deadline = this.#deadline(kind, controller)
    try {
      const result = await make(controller.signal)
      this.#failure = undefined
      return result
    } catch (error) {
      throw this.#toldOf(error, signal)
    }
  }

  /** Makes a call that answers with a stream, which must go on: each part has a deadline, and so have all. */
  async *stream<T>(
    open: (signal: AbortSignal) => AsyncIterable<T>,
    { signal }: AbortOptions = {},
  ): AsyncGenerator<T, void, undefined> {
    signal?.throwIfAborted()
    const controller = new AbortController()
    using _abort = onAbort(signal, () => controller.abort(signal?.reason))
    using _deadline = this.#deadline('work', controller)
    const iterator = open(controller.signal)[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await this.#next(iterator, controller, signal)
        if (next.done) return
        yield next.value
      }
    } finally {
      controller.abort()
      // It has been told of the error, if there was one.
      await iterator.return?.().catch(() => undefined)
    }
  }

  async #next<T>(
    iterator: AsyncIterator<T>,
    controller: AbortController,
    signal: AbortSignal | undefined,
  ): Promise<IteratorResult<T>> {
    using _deadline = this.#deadline('answer', controller)
    try {
      const next = await iterator.next()
      this.#failure = undefined
      return next
    } catch (error) {
      throw this.#toldOf(error, signal)
    }
  }

  /** An error for an answer that cannot be one. */
  nonsense(what: string): NsboxError {
    return this.#error('data_loss', what)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }

  #deadline(kind: keyof PluginDeadlines, controller: AbortController): Disposable {
    const milliseconds = this.#deadlines[kind]
    const timer = setTimeout(() => {
      controller.abort(this.#error('deadline_exceeded', `no answer within ${milliseconds / 1000} seconds`))
    }, milliseconds)
    return { [Symbol.dispose]: () => clearTimeout(timer) }
  }

  /** What to throw for what a call threw; notes what it says of the plugin. */
  #toldOf(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted) return signal.reason
    const known = isNsboxError(error) ? error : undefined
    if (known !== undefined && answers.has(known.code)) {
      this.#failure = undefined
      const { code, details } = known
      return new NsboxError(code, known.context.slice(0, maxErrorText), { cause: error, details })
    }
    const own = known?.details.plugin === this.plugin.name ? known : undefined
    // Nobody here has canceled it.
    const code = known === undefined ? 'data_loss' : known.code === 'canceled' ? 'unavailable' : known.code
    const told = own ?? this.#error(code, known?.context ?? String(error), error)
    this.#failure = answersOfItsOwn.has(code) ? undefined : told
    return told
  }

  #error(code: ErrorCode, what: string, cause?: unknown): NsboxError {
    const { name, address } = this.plugin
    return new NsboxError(code, `proxy plugin ${name} at ${address}: ${what.slice(0, maxErrorText)}`, {
      ...(cause !== undefined && { cause }),
      details: { plugin: name },
    })
  }
}

/** A plugin sees and makes the files of containers: it must be root's, or of the server's own user. */
function admitPeer(socket: Socket): void {
  if (process.platform !== 'linux') return
  const descriptor = socketDescriptor(socket)
  // It has been closed: the transport says so.
  if (descriptor === undefined) return
  const { uid } = peerCredentials(descriptor)
  if (uid === 0 || uid === process.geteuid?.()) return
  throw new NsboxError(
    'permission_denied',
    `its process is user ${uid}'s, neither root's nor the server's own`,
  )
}
