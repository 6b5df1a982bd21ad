import type { AbortOptions, ContentWriter, IngestOptions } from '@nsbox/core/content'
import { checkName } from '@nsbox/core/names'
import { isAlreadyExists, isNotFound, NsboxError, undefinedIf } from '@nsbox/errors'
import { assertDigest, type Digest } from '@nsbox/oci'
import { hold, type Scope } from '../leases/lease-binding.ts'
import { findBlob } from './blob-row.ts'
import type { ContentParts } from './content-parts.ts'
import { backendRef, type IngestRow, leftBy, openIngest } from './ingest-row.ts'
import { NamespacedWriter } from './namespaced-writer.ts'

/** Opens an ingest of a namespace; the contract is that of `IngestManager.writer`. */
export async function openWriter(
  parts: ContentParts,
  scope: Scope,
  { ref, total = 0, expected }: IngestOptions,
  { signal }: AbortOptions,
): Promise<ContentWriter> {
  checkName('ref', ref)
  if (!Number.isSafeInteger(total) || total < 0) throw new NsboxError('invalid_argument', `total ${total}`)
  if (expected !== undefined) assertDigest(expected)
  signal?.throwIfAborted()
  if (expected !== undefined) await refuseExisting(parts, scope, expected)

  const lock = await parts.locks.acquire(ref, { namespace: scope.namespace, signal })
  try {
    const asked = { ref, total, expected }
    const shared = await share(parts, scope, asked)
    const ingest = shared ?? record(parts, scope, asked, undefined)
    const [own] = await Promise.all([
      shared === undefined ? openOwn(parts, ingest, asked, { signal }) : undefined,
      parts.ledger.answerable(),
    ])
    parts.collector.expires(ingest.expires_at ?? undefined)
    const writer = new NamespacedWriter({ ...parts, scope, ingest, expected, lock, own })
    lock.hold(() => writer.revoke())
    return writer
  } catch (error) {
    lock[Symbol.dispose]()
    await parts.ledger.answerable()
    throw error
  }
}

/** Makes the lease hold a blob of the namespace, although a writer for it is refused. */
async function refuseExisting({ ledger }: ContentParts, scope: Scope, digest: Digest): Promise<void> {
  const found = await ledger.read((db) => findBlob(db, scope.namespace, digest))
  if (found === undefined) return
  const exists = await ledger.write(scope.namespace, (tx) => {
    if (findBlob(tx, scope.namespace, digest) === undefined) return false
    hold(tx, scope, { kind: 'content', id: digest })
    return true
  })
  if (exists) throw new NsboxError('already_exists', `content ${digest}`)
}

type Asked = { readonly ref: string; readonly total: number; readonly expected: Digest | undefined }

/**
 * Opens the ingest as one that shares a blob of the backend, if there is such a blob and the policy gives it to this
 * namespace without its bytes.
 */
function share(parts: ContentParts, scope: Scope, asked: Asked): Promise<IngestRow | undefined> {
  const { backend, ledger, sharing, gate } = parts
  const { expected, total } = asked
  if (expected === undefined) return Promise.resolve(undefined)
  return gate.use(expected, async () => {
    if (!(await ledger.read((db) => sharing.givesBlob(db, scope.namespace, expected)))) return undefined
    const found = await undefinedIf(isNotFound, backend.info(expected))
    if (found === undefined || (total > 0 && total !== found.size)) return undefined
    return record(parts, scope, asked, found.size)
  })
}

/** Makes or updates the ingest's row. */
function record(
  { ledger, collector, clock }: ContentParts,
  scope: Scope,
  asked: Asked,
  sharedSize: number | undefined,
): IngestRow {
  const { before, row } = ledger.commit(scope.namespace, (tx) =>
    openIngest(tx, scope, { sharedSize, clock, ...asked }),
  )
  // It may have shared another blob.
  if (before !== undefined) collector.unused(leftBy(before))
  return row
}

/** Opens the backend's ingest, in which all bytes have to arrive. */
async function openOwn(
  { backend }: ContentParts,
  ingest: IngestRow,
  { total, expected }: Asked,
  abort: AbortOptions,
): Promise<ContentWriter> {
  const ref = backendRef(ingest)
  try {
    return await backend.writer({ ref, total, expected }, abort)
  } catch (error) {
    if (expected === undefined || !isAlreadyExists(error)) throw error
    // The backend has the blob, but this namespace has to prove that it has the bytes: the commit compares them.
    return await backend.writer({ ref, total }, abort)
  }
}
