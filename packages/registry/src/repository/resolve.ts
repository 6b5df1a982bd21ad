import type { AbortOptions } from '@nsbox/core/content'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import {
  assertDescriptor,
  type Descriptor,
  type Digest,
  digestAlgorithm,
  digestOf,
  formatReference,
  isDigest,
  isDockerSchema1,
  isIndex,
  isManifest,
  maxDocumentSize,
  mediaTypes,
  type Reference,
} from '@nsbox/oci'
import { repositoryScope } from '../auth/scope.ts'
import type { RegistryHost } from '../hosts/registry-host.ts'
import { discard, type Reply, singleHeader } from '../http/exchange.ts'
import { remoteText, withoutSecrets } from '../http/redact.ts'
import { readBody } from '../http/response-body.ts'
import { retryWithBackoff } from '../http/retry-with-backoff.ts'
import type { RegistryLimits } from '../limits.ts'
import { manifestMediaType } from './manifest-media-type.ts'
import type { RegistryClient } from './registry-client.ts'

/** The two collections of a repository. */
export type ContentKind = 'manifests' | 'blobs'

/** The `Accept` header for manifests, preferred types first; any other type is accepted too, for artifacts. */
export const acceptManifests = [
  mediaTypes.dockerManifest,
  mediaTypes.dockerManifestList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  '*/*',
].join(', ')

/** Statuses of servers that do not support HEAD. */
const headUnsupported = [400, 405, 501]

/**
 * Resolves a tag or digest at one host, by HEAD; by GET if the answer to that is incomplete. The digest may be that of
 * a blob that is no manifest.
 *
 * @throws `not_found`, `invalid_argument` for a document beyond the limit of manifests, an answer that contradicts the
 * reference's digest, or one that is no document of a known or stated kind; the errors of `responseError`
 */
export function resolveAt(
  client: RegistryClient,
  host: RegistryHost,
  reference: Reference,
  { signal }: AbortOptions = {},
): Promise<Descriptor> {
  const { repository, digest, tag } = reference
  const text = formatReference(reference)
  const object = digest ?? tag
  if (object === undefined)
    throw new NsboxError('invalid_argument', `reference ${text} has neither a tag nor a digest`)
  const request = (method: 'HEAD' | 'GET', kind: ContentKind, accepted: readonly number[] = [200]) =>
    client.request(
      host,
      {
        method,
        at: [repository, kind, object],
        headers: kind === 'manifests' ? { accept: acceptManifests } : {},
        scopes: [repositoryScope(repository, 'pull')],
        reference: text,
        signal,
      },
      accepted,
    )

  return retryWithBackoff(
    async () => {
      try {
        return await manifest()
      } catch (error) {
        // docker-registry answers with 500 to the digest of a layer.
        const status = isNsboxError(error) ? error.details.status : undefined
        if (digest === undefined || (status !== 404 && status !== 500)) throw error
        return await blob(digest, error)
      }
    },
    client.limits,
    { signal },
  )

  async function manifest(): Promise<Descriptor> {
    const head = await request('HEAD', 'manifests', [200, ...headUnsupported])
    await discard(head)
    const found = head.status === 200 ? fromHead(head, digest) : undefined
    return found ?? fromDocument(await request('GET', 'manifests'), digest, client.limits)
  }

  async function blob(digest: Digest, otherwise: unknown): Promise<Descriptor> {
    const head = await request('HEAD', 'blobs', [200, 404])
    await discard(head)
    if (head.status === 404) throw otherwise
    const size = sizeOf(head)
    if (size === undefined) throw nonsense(head, 'does not tell the size of the blob')
    return { mediaType: 'application/octet-stream', digest, size }
  }
}

/** The descriptor, if the headers are sufficient. */
function fromHead(reply: Reply, wanted: Digest | undefined): Descriptor | undefined {
  const stated = singleHeader(reply, 'docker-content-digest')
  if (stated !== undefined && wanted !== undefined && stated !== wanted)
    throw nonsense(reply, `is for digest ${JSON.stringify(remoteText(stated, reply.secrets).slice(0, 160))}`)
  const digest = wanted ?? stated
  const size = sizeOf(reply)
  if (!isDigest(digest) || size === undefined) return undefined
  const mediaType = contentType(reply)
  // Static file servers do not know the type; the document tells it.
  if (mediaType === undefined || !(isManifest(mediaType) || isIndex(mediaType) || isDockerSchema1(mediaType)))
    return undefined
  if (size > maxDocumentSize) throw nonsense(reply, `has ${size} bytes, more than ${maxDocumentSize}`)
  return { mediaType, digest, size }
}

async function fromDocument(
  reply: Reply,
  wanted: Digest | undefined,
  limits: RegistryLimits,
): Promise<Descriptor> {
  const context = `GET ${reply.address}`
  const bytes = await readBody(reply.body, context, maxDocumentSize, limits)
  const digest = digestOf(bytes, wanted && digestAlgorithm(wanted))
  if (wanted !== undefined && digest !== wanted) throw nonsense(reply, `has digest ${digest}`)
  const stated = singleHeader(reply, 'docker-content-digest')
  if (isDigest(stated) && digestAlgorithm(stated) === digestAlgorithm(digest) && stated !== digest)
    throw nonsense(reply, `has digest ${digest}, though the registry says ${reply.secrets.hide(stated)}`)
  const mediaType = await manifestMediaType(bytes, contentType(reply), context)
  // The type is text of the server, too, and must not have a secret in it.
  if (mediaType === undefined || reply.secrets.hide(mediaType) !== mediaType)
    throw nonsense(reply, 'is no manifest')
  const descriptor = { mediaType, digest, size: bytes.byteLength }
  try {
    assertDescriptor(descriptor, context)
  } catch (error) {
    throw withoutSecrets(error, reply.secrets)
  }
  return descriptor
}

function sizeOf(reply: Reply): number | undefined {
  const length = singleHeader(reply, 'content-length') ?? ''
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined
}

function contentType(reply: Reply): string | undefined {
  return singleHeader(reply, 'content-type')?.split(';')[0]?.trim().toLowerCase()
}

function nonsense(reply: Reply, why: string): NsboxError {
  return new NsboxError('invalid_argument', `${reply.address}: the reply ${why}`)
}
