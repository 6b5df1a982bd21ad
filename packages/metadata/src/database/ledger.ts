import type { DomainEvent } from '@nsbox/core/events'
import type { Database, Reader, Transaction } from '@nsbox/sqlite'
import type { EventOutbox } from './event-outbox.ts'
import type { Node } from './node.ts'

/** What the body of a write gets. */
export interface Write extends Transaction {
  /** Announces an event of the write's namespace, once and only if the write is durable. */
  emit(event: DomainEvent): void
  /** Reports that an object of the namespace was written, or is referred to anew, so that no collection takes it. */
  touch(node: Node): void
}

/** Who has to hear of what is written in a namespace: a collection that is under way. */
interface Listener {
  readonly namespace: string
  touch(node: Node): void
}

/**
 * What waits until everything that an answer tells of is on disk (docs/behaviour.md §16): with `durable` the store,
 * before it returns from each call; with `held` the caller, by `durable()` before each answer of its own.
 */
export type Answers = 'durable' | 'held'

/** The way to the database for everything that answers a caller. */
export class Ledger {
  readonly #db: Database
  readonly #outbox: EventOutbox
  readonly #onWrite: (namespace: string) => void
  readonly #answers: Answers
  readonly #markings: ReadonlySet<Listener>

  /**
   * @param onWrite told of the namespace of each write that was committed
   * @param markings those under way, to which writes are reported
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

  /** A read whose result no caller gets to see. */
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

  /** A write whose caller waits until it is `answerable`, because it has more to do first. */
  commit<T>(namespace: string, body: (write: Write) => T): T {
    const events: DomainEvent[] = []
    const result = this.#db.transaction((transaction) =>
      body({
        ...transaction,
        emit: (event) => events.push(event),
        touch: (node) => {
          for (const marking of this.#markings) if (marking.namespace === namespace) marking.touch(node)
        },
      }),
    )
    this.#outbox.add(namespace, events)
    this.#onWrite(namespace)
    return result
  }

  /**
   * A write that no caller sees: without events, and of no interest to the collector. Wait with `durable` if something
   * may only happen after it.
   */
  note<T>(body: (transaction: Transaction) => T): T {
    return this.#db.transaction(body)
  }

  /** Resolves once an answer may tell of what was done before the call. */
  async answerable(): Promise<void> {
    if (this.#answers === 'durable') await this.#db.durable()
  }

  /** Resolves once all that was done before the call is on disk. */
  durable(): Promise<void> {
    return this.#db.durable()
  }
}
