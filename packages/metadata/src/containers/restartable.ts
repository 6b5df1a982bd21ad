import type { AbortOptions } from '@nsbox/concurrency'
import type { Labels } from '@nsbox/core/labels'
import { Timestamp } from '@nsbox/time'
import type { Ledger } from '../database/ledger.ts'
import { type Listing, listRows } from '../database/listing.ts'
import { decodeLabels } from '../database/stored-labels.ts'

/** A container that says by its labels when its task is to be started again. */
export interface Restartable {
  readonly namespace: string
  readonly id: string
  readonly labels: Labels
  readonly updatedAt: Timestamp
}

interface Row {
  readonly namespace: string
  readonly id: string
  readonly labels: string
  readonly updated_at: number
}

/** Those of all namespaces, read from the index `container_restart` alone. */
const listing: Listing<Row> = {
  after(db, key, enough) {
    const [namespace = '', id = ''] = key.split('\0')
    return db.upTo(
      `SELECT namespace, id, labels, updated_at FROM container
         WHERE json_extract(labels, '$."containerd.io/restart.status"') IS NOT NULL
           AND (namespace, id) > (?, ?) ORDER BY namespace, id`,
      enough,
      namespace,
      id,
    )
  },
  key: ({ namespace, id }) => `${namespace}\0${id}`,
  size: ({ labels }) => labels.length,
}

/** The containers of all namespaces that have the label `containerd.io/restart.status`. */
export async function* restartable(
  ledger: Ledger,
  { signal }: AbortOptions = {},
): AsyncGenerator<Restartable, void, undefined> {
  for await (const { namespace, id, labels, updated_at } of listRows(ledger, listing, signal))
    yield {
      namespace,
      id,
      labels: decodeLabels(labels),
      updatedAt: Timestamp.fromEpochMicroseconds(updated_at),
    }
}
