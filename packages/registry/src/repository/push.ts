import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import {
  type Descriptor,
  digestAlgorithm,
  formatReference,
  isDigest,
  isIndex,
  isManifest,
  type Reference,
} from '@nsbox/oci'
import { repositoryScope } from '../auth/scope.ts'
import type { RegistryHost } from '../hosts/registry-host.ts'
import { discard, type Reply, singleHeader } from '../http/exchange.ts'
import type { HeaderFields } from '../http/header-fields.ts'
import { retryWithBackoff } from '../http/retry-with-backoff.ts'
import { type PushedDocument, readDocument } from './pushed-document.ts'
import { addToReferrersTag } from './referrers-tag.ts'
import type { ApiRequest, RegistryClient } from './registry-client.ts'
import { acceptManifests } from './resolve.ts'
import { cancelUpload, startUpload } from './upload.ts'

export interface PushRequest extends AbortOptions {
  readonly reference: Reference
  readonly descriptor: Descriptor
  readonly read: () => AsyncIterable<Uint8Array>
  readonly mountFrom: readonly string[]
}

export type PushOutcome = 'pushed' | 'exists' | 'mounted'

/**
 * Stores a manifest or blob on one host; see `Remote.push`. After a transient failure it starts again by asking whether
 * the content exists.
 */
export function pushTo(
  client: RegistryClient,
  host: RegistryHost,
  request: PushRequest,
): Promise<PushOutcome> {
  const { mediaType } = request.descriptor
  const push = isManifest(mediaType) || isIndex(mediaType) ? pushManifest : pushBlob
  return retryWithBackoff(() => push(client, host, request), client.limits, { signal: request.signal })
}

async function pushManifest(
  client: RegistryClient,
  host: RegistryHost,
  request: PushRequest,
): Promise<PushOutcome> {
  const { reference, descriptor, read } = request
  const at = [reference.repository, 'manifests', manifestName(reference, descriptor)]
  const accept = { accept: `${descriptor.mediaType}, ${acceptManifests}` }
  const document = await readDocument(descriptor, read)
  // What has a subject is always sent: only the answer tells whether the registry lists referrers itself.
  if (document.subject === undefined) {
    const found = await exists(client, host, { ...common(request), method: 'HEAD', at, headers: accept })
    if (found && singleHeader(found, 'docker-content-digest') === descriptor.digest) return 'exists'
  }
  const body = async function* () {
    yield document.bytes
  }
  const reply = await client.request(
    host,
    { ...common(request), method: 'PUT', at, headers: entityHeaders(descriptor), body },
    [200, 201],
  )
  await stored(reply, descriptor)
  await listAsReferrer(client, host, request, document, reply)
  return 'pushed'
}

/** Lists what has been pushed as a referrer of its subject, unless the registry says that it has done so. */
async function listAsReferrer(
  client: RegistryClient,
  host: RegistryHost,
  request: PushRequest,
  { subject, referrer }: PushedDocument,
  reply: Reply,
): Promise<void> {
  if (subject === undefined || singleHeader(reply, 'oci-subject') === subject.digest) return
  const { repository } = request.reference
  const place = { ...common(request), repository, subject: subject.digest }
  const list = `${host.origin} ${repository} ${subject.digest}`
  const add = () => addToReferrersTag(client, host, place, referrer)
  await client.referrersTags.run(list, add, { signal: request.signal })
}

/** A tag moves only with the manifest that the reference means: the one it names by digest, or any if it names none. */
function manifestName({ tag, digest }: Reference, descriptor: Descriptor): string {
  return tag !== undefined && (digest === undefined || digest === descriptor.digest) ? tag : descriptor.digest
}

async function pushBlob(
  client: RegistryClient,
  host: RegistryHost,
  request: PushRequest,
): Promise<PushOutcome> {
  const { reference, descriptor, read, mountFrom } = request
  const at = [reference.repository, 'blobs', descriptor.digest]
  if (await exists(client, host, { ...common(request), method: 'HEAD', at })) return 'exists'
  const location = await startUpload(client, host, {
    ...common(request),
    repository: reference,
    digest: descriptor.digest,
    mountFrom,
  })
  if (location === 'mounted') return 'mounted'
  location.searchParams.set('digest', descriptor.digest)
  try {
    const reply = await client.request(
      host,
      {
        ...common(request),
        method: 'PUT',
        at: location,
        headers: entityHeaders({ ...descriptor, mediaType: 'application/octet-stream' }),
        body: read,
      },
      [200, 201, 204],
    )
    await stored(reply, descriptor)
    return 'pushed'
  } catch (error) {
    if (!request.signal?.aborted) await cancelUpload(client, host, location, common(request))
    throw error
  }
}

function common({ reference, signal }: PushRequest): Pick<ApiRequest, 'scopes' | 'reference' | 'signal'> {
  return {
    scopes: [repositoryScope(reference.repository, 'pull,push')],
    reference: formatReference(reference),
    signal,
  }
}

function entityHeaders({ mediaType, size }: Descriptor): HeaderFields {
  return { 'content-type': mediaType, 'content-length': String(size) }
}

async function exists(
  client: RegistryClient,
  host: RegistryHost,
  request: ApiRequest,
): Promise<Reply | undefined> {
  const reply = await client.request(host, request, [200, 404])
  await discard(reply)
  return reply.status === 200 ? reply : undefined
}

/** Checks the digest under which a registry says that it has stored the content, if it names one. */
async function stored(reply: Reply, { digest }: Descriptor): Promise<void> {
  await discard(reply)
  const stated = singleHeader(reply, 'docker-content-digest')
  if (!isDigest(stated) || digestAlgorithm(stated) !== digestAlgorithm(digest) || stated === digest) return
  throw new NsboxError(
    'failed_precondition',
    `${reply.address}: stored as ${reply.secrets.hide(stated)} instead of ${digest}`,
  )
}
