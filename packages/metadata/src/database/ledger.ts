import type { DomainEvent } from '@nsbox/core/events'
import type { Database, Reader, Transaction } from '@nsbox/sqlite'
import type { EventOutbox } from './event-outbox.ts'
import type { Node } from './node.ts'

/** The argument of a write's body. */
export interface Write extends Transaction {
  /** Announces an event of the write's namespace, once and only if the write is durable. */
  emit(event: DomainEvent): void
  /** Reports that an object of the namespace was written, or is newly referred to, so that no collection removes it. */
  touch(node: Node): void
}

/** A running collection, which is told of writes in a namespace. */
interface Listener {
  readonly namespace: string
  touch(node: Node): void
}

/**
 * Which code waits until the data that an answer shows are on disk (docs/behaviour.md §16): with `durable` the store,
 * before it returns from each call; with `held` the caller, by `durable()` before each answer of its own.
 */
export type Answers = 'durable' | 'held'

/** The access to the database for all calls that return data to a caller. */
export class Ledger {
  readonly #db: Database
  readonly #outbox: EventOutbox
  readonly #onWrite: (namespace: string) => void
  readonly #answers: Answers
  readonly #markings: ReadonlySet<Listener>

  /**
   * @param onWrite called with the namespace of each committed write
   * @param markings running collections, to which writes are reported
   */
  constructor(
    db: Database,
    outbox: EventOutbox,
    onWrite: (namespace: string) => void,
    {
      answers = 'durable',
      markings = new Set(),
    }: { answers?: Answers; markings?: ReadonlySet<Listener> } = {},
  ) {
    this.#db = db
    this.#outbox = outbox
    this.#onWrite = onWrite
    this.#answers = answers
    this.#markings = markings
  }

  async read<T>(body: (reader: Reader) => T): Promise<T> {
    try {
      return body(this.#db)
    } finally {
      await this.answerable()
    }
  }

  /** A read whose result is not returned to a caller. */
  peek<T>(body: (reader: Reader) => T): T {
    return body(this.#db)
  }

  async write<T>(namespace: string, body: (write: Write) => T): Promise<T> {
    try {
      return this.commit(namespace, body)
    } finally {
      await this.answerable()
    }
  }

  /** A write whose caller has more to do before it waits until it is `answerable`. */
  commit<T>(namespace: string, body: (write: Write) => T): T {
    const events: DomainEvent[] = []
    const result = this.#db.transaction((transaction) =>
      body({
        emit: (event) => events.push(event),
        touch: (node) => {
          for (const marking of this.#markings) if (marking.namespace === namespace) marking.touch(node)
        },
        ...transaction,
      }),
    )
    this.#outbox.add(namespace, events)
    this.#onWrite(namespace)
    return result
  }

  /**
   * A write that callers do not see: without events and reports to the collector. Wait with `durable` before steps that
   * must follow it.
   */
  note<T>(body: (transaction: Transaction) => T): T {
    return this.#db.transaction(body)
  }

  /** Resolves once an answer may show everything done before the call. */
  async answerable(): Promise<void> {
    if (this.#answers === 'durable') await this.#db.durable()
  }

  /** Resolves once everything done before the call is on disk. */
  durable(): Promise<void> {
    return this.#db.durable()
  }
}
