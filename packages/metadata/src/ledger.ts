import type { DomainEvent } from '@nsbox/core/events'
import type { Database, Reader, Transaction } from '@nsbox/sqlite'
import type { EventOutbox } from './event-outbox.ts'

/** What the body of a write gets. */
export interface Write extends Transaction {
  /** Announces an event of the write's namespace, once and only if the write is durable. */
  emit(event: DomainEvent): void
}

/**
 * The way to the database for everything that answers a caller: no answer, a refusal included, is given before all that
 * it may have seen is on disk (DESIGN §5).
 */
export class Ledger {
  readonly #db: Database
  readonly #outbox: EventOutbox
  readonly #onWrite: (namespace: string) => void

  /** @param onWrite told of the namespace of each write that was committed */
  constructor(db: Database, outbox: EventOutbox, onWrite: (namespace: string) => void) {
    this.#db = db
    this.#outbox = outbox
    this.#onWrite = onWrite
  }

  async read<T>(body: (reader: Reader) => T): Promise<T> {
    try {
      return body(this.#db)
    } finally {
      await this.#db.durable()
    }
  }

  /** A read whose result no caller gets to see. */
  peek<T>(body: (reader: Reader) => T): T {
    return body(this.#db)
  }

  async write<T>(namespace: string, body: (write: Write) => T): Promise<T> {
    try {
      return this.commit(namespace, body)
    } finally {
      await this.#db.durable()
    }
  }

  /** A write whose caller waits with `durable` before it answers, because it has more to do first. */
  commit<T>(namespace: string, body: (write: Write) => T): T {
    const events: DomainEvent[] = []
    const result = this.#db.transaction((transaction) =>
      body({ ...transaction, emit: (event) => events.push(event) }),
    )
    this.#outbox.add(namespace, events)
    this.#onWrite(namespace)
    return result
  }

  /** A write of what no caller gets to see: there are no events, and nothing for the collector to look at. */
  async note<T>(body: (transaction: Transaction) => T): Promise<T> {
    try {
      return this.#db.transaction(body)
    } finally {
      await this.#db.durable()
    }
  }

  durable(): Promise<void> {
    return this.#db.durable()
  }
}
