import { isReady, type SpliceResult, spliceNow } from '@nsbox/sys/descriptors'
import type { Watcher } from './watcher.ts'

const pieceSize = 1024 * 1024
const piecesPerTurn = 16

/** Why a relay has ended: the input has ended, or the output has no reader. */
export type RelayEnd = 'end' | 'closed'

/** Passes data from one descriptor to another, from the first `pump` on. */
export interface Relay {
  /** Moves the available data. */
  pump(): void

  /**
   * Stops using both descriptors.
   * @returns a promise to wait for before they are closed; undefined if they may be closed now
   */
  stop(): Promise<unknown> | undefined
}

/** How to relay. */
export interface RelayOptions {
  readonly watcher: Watcher
  readonly from: number
  readonly to: number
  /** Called at most once, and not after `stop`. */
  readonly onEnd: (why: RelayEnd) => void
}

/**
 * Relays between pipes, FIFOs and terminals by splice: no byte enters this process, so none is lost with it, and a slow
 * reader slows the writer down. The caller owns both descriptors.
 */
export class PipeRelay implements Relay {
  readonly #options: RelayOptions
  #timer: NodeJS.Timeout | undefined
  #immediate: NodeJS.Immediate | undefined
  #stopped = false

  constructor(options: RelayOptions) {
    this.#options = options
  }

  pump(): void {
    if (!this.#stopped) this.#pump()
  }

  stop(): undefined {
    if (this.#stopped) return
    this.#stopped = true
    clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.#options.watcher.forget(this.#options.from)
    this.#options.watcher.forget(this.#options.to)
  }

  #pump(): void {
    const { from, to, onEnd } = this.#options
    for (let pieces = 0; pieces < piecesPerTurn; pieces++) {
      const result = this.#splice(from, to)
      // A FIFO before its first writer also reads as ended, but has not hung up.
      if (result === 'again' || (result === 'end' && !isReady(from, 'read'))) {
        this.#wait()
        return
      }
      if (typeof result === 'string') {
        this.stop()
        onEnd(result)
        return
      }
    }
    // Yields to the event loop.
    clearImmediate(this.#immediate)
    this.#immediate = setImmediate(() => this.pump())
  }

  #splice(from: number, to: number): SpliceResult {
    try {
      return spliceNow(from, to, pieceSize)
    } catch (error) {
      console.error('a relay ends:', error)
      return 'closed'
    }
  }

  #wait(): void {
    const { watcher, from, to } = this.#options
    const next = () => this.pump()
    if (!isReady(from, 'read')) {
      watcher.once(from, 'read', next)
    } else if (isReady(to, 'write') || !watcher.once(to, 'write', next)) {
      // Ready a moment later, or ready for less than a terminal needs: waiting for readiness would spin.
      clearTimeout(this.#timer)
      this.#timer = setTimeout(next, 5)
    }
  }
}
