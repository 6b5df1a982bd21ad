import type { DomainEvent } from '@nsbox/core/events'

/** Takes an event once the change behind it is on disk. */
export type EventListener = (namespace: string, event: DomainEvent) => void

interface OutboxOptions {
  readonly durable: () => Promise<void>
  readonly onEvent: EventListener
  /** Whether there is a subscriber for an event that happens now. */
  readonly isHeard: () => boolean
  readonly onError: (error: unknown) => void
}

/**
 * Holds events back until the change behind them is durable, and passes them on in the order of the commits. Without a
 * subscriber they are dropped, so that no sync is made for them.
 */
export class EventOutbox {
  readonly #options: OutboxOptions
  #waiting: { namespace: string; event: DomainEvent }[] = []
  #draining: Promise<void> | undefined

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Called right after the commit of the change. */
  add(namespace: string, events: readonly DomainEvent[]): void {
    if (this.#options.isHeard()) for (const event of events) this.#waiting.push({ namespace, event })
    if (this.#waiting.length === 0) return
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined
    })
  }

  /** Resolves once all events added so far have been passed on. */
  async flushed(): Promise<void> {
    await this.#draining
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const count = this.#waiting.length
        await this.#options.durable()
        for (const { namespace, event } of this.#waiting.splice(0, count)) this.#hand(namespace, event)
      }
    } catch (error) {
      // The disk has failed: changes that never became durable have no events.
      this.#waiting = []
      this.#options.onError(error)
    }
  }

  #hand(namespace: string, event: DomainEvent): void {
    try {
      this.#options.onEvent(namespace, event)
    } catch (error) {
      this.#options.onError(error)
    }
  }
}
