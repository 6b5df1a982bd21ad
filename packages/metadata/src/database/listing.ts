import { yieldBetween } from '@nsbox/concurrency'
import type { Reader } from '@nsbox/sqlite'
import type { Ledger } from './ledger.ts'

/** Most rows that a listing reads at a time: a few milliseconds of reading and parsing. */
const mostRows = 500
const mostBytes = 256 * 1024

/** A listing, in the order of its keys. */
export interface Listing<Row> {
  /** Reads the rows after a key, or from the first on, up to the one that is enough. */
  readonly after: (db: Reader, key: string, enough: (row: Row) => boolean) => Row[]
  readonly key: (row: Row) => string
  /** Approximate bytes of a row. */
  readonly size: (row: Row) => number
}

/** The rows of a listing. It yields to the event loop in between; the consumer's time for a row counts. */
export async function* listRows<Row>(
  ledger: Ledger,
  { after, key, size }: Listing<Row>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Row, void, undefined> {
  for (let last: string | undefined = ''; last !== undefined; ) {
    signal?.throwIfAborted()
    const from: string = last
    let bytes = 0
    let count = 0
    const enough = (row: Row) => {
      bytes += size(row)
      count += 1
      return count >= mostRows || bytes >= mostBytes
    }
    const page = await ledger.read((db) => after(db, from, enough))
    const isLast = count < mostRows && bytes < mostBytes
    yield* yieldBetween(page, { signal })
    last = isLast ? undefined : key(page.at(-1)!)
  }
}
