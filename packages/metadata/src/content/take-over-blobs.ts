import type { Descriptor } from '@nsbox/oci'
import type { Reader } from '@nsbox/sqlite'
import type { Write } from '../database/ledger.ts'
import { hold, type Scope } from '../leases/lease-binding.ts'
import { addBlob, findBlob } from './blob-row.ts'
import type { ContentParts } from './content-parts.ts'

/** What tells a blob. */
export type BlobIdentity = Pick<Descriptor, 'digest' | 'size'>

/**
 * Makes blobs the namespace's own, as it could by announcing their digests (docs/behaviour.md §3), and lets its lease
 * hold them. A row of any namespace stands for bytes that are there, and as long as it does they are not removed.
 *
 * @returns whether the namespace has them all now; nothing is done unless it can have all of them
 */
export function takeOverBlobs(
  tx: Write,
  { sharing, clock }: Pick<ContentParts, 'sharing' | 'clock'>,
  scope: Scope,
  blobs: readonly BlobIdentity[],
): boolean {
  const { namespace } = scope
  const isGiven = ({ digest, size }: BlobIdentity) =>
    sizeOf(tx, digest) === size && sharing.givesBlob(tx, namespace, digest)
  const isOwn = ({ digest }: BlobIdentity) => findBlob(tx, namespace, digest) !== undefined
  if (!blobs.every((blob) => isOwn(blob) || isGiven(blob))) return false
  for (const { digest, size } of blobs) {
    hold(tx, scope, { kind: 'content', id: digest })
    const now = clock.stamp()
    // An image may have a layer twice.
    if (addBlob(tx, namespace, { digest, size, createdAt: now, updatedAt: now, labels: {} }))
      tx.emit({ topic: '/content/create', payload: { digest, size } })
  }
  return true
}

function sizeOf(db: Reader, digest: string): number | undefined {
  return db.get<{ size: number }>('SELECT size FROM content WHERE digest = ? LIMIT 1', digest)?.size
}
