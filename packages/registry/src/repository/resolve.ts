import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
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
import { redactUrl } from '../http/redact.ts'
import { readBody } from '../http/response-body.ts'
import { retried } from '../http/retry.ts'
import { manifestMediaType } from './manifest-media-type.ts'
import type { RegistryClient } from './registry-client.ts'

/** The two collections of a repository. */
export type ContentKind = 'manifests' | 'blobs'

/** What answers to a manifest may be, best known first; anything else is taken as well, since artifacts are many. */
export const acceptManifests = [
  mediaTypes.dockerManifest,
  mediaTypes.dockerManifestList,
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  '*/*',
].join(', ')

/** Statuses of HEAD by which servers say that they answer to GET only. */
const headUnsupported = [400, 405, 501]

/**
 * What a tag or digest points to at one host, by HEAD; by GET where the answer to that leaves something open.
 *
 * @throws `not_found`, `invalid_argument` for a document beyond the limit of manifests, an answer that contradicts the
 * reference's digest, or one that is no document of a known or stated kind; the errors of `responseError`
 */
export async function resolveAt(
  client: RegistryClient,
  host: RegistryHost,
  { reference, kind }: { reference: Reference; kind: ContentKind },
  { signal }: AbortOptions = {},
): Promise<Descriptor> {
  const { repository, digest, tag } = reference
  const object = digest ?? tag
  if (object === undefined)
    throw new NsboxError(
      'invalid_argument',
      `reference ${formatReference(reference)} has neither a tag nor a digest`,
    )
  const request = (method: 'HEAD' | 'GET', accepted: readonly number[]) =>
    client.request(
      host,
      {
        method,
        at: [repository, kind, object],
        headers: kind === 'manifests' ? { accept: acceptManifests } : {},
        scopes: [repositoryScope(repository, 'pull')],
        reference: formatReference(reference),
        signal,
      },
      accepted,
    )

  return retried(
    async () => {
      const head = await request('HEAD', [200, ...headUnsupported])
      await discard(head)
      const found = head.status === 200 ? byHead(head, digest, kind) : undefined
      if (found) return found
      if (kind === 'blobs') throw nonsense(head, 'does not tell the size of the blob')
      return byGet(await request('GET', [200]), digest)
    },
    client.limits,
    { signal },
  )

  async function byGet(reply: Reply, wanted: Digest | undefined): Promise<Descriptor> {
    const bytes = await readBody(reply.body, `GET ${redactUrl(reply.url)}`, maxDocumentSize, client.limits)
    const computed = digestOf(bytes, wanted && digestAlgorithm(wanted))
    if (wanted !== undefined && computed !== wanted) throw nonsense(reply, `has digest ${computed}`)
    const stated = singleHeader(reply, 'docker-content-digest')
    if (isDigest(stated) && digestAlgorithm(stated) === digestAlgorithm(computed) && stated !== computed)
      throw nonsense(reply, `has digest ${computed}, though the registry says ${stated}`)
    return checked(
      reply,
      manifestMediaType(bytes, contentType(reply), redactUrl(reply.url)),
      computed,
      bytes.byteLength,
    )
  }
}

/** The descriptor, if the head of the answer tells all of it. */
function byHead(reply: Reply, wanted: Digest | undefined, kind: ContentKind): Descriptor | undefined {
  const stated = singleHeader(reply, 'docker-content-digest')
  if (stated !== undefined && wanted !== undefined && stated !== wanted)
    throw nonsense(reply, `is for digest ${JSON.stringify(stated.slice(0, 160))}`)
  const length = singleHeader(reply, 'content-length') ?? ''
  const digest = wanted ?? stated
  if (!isDigest(digest) || !/^\d{1,15}$/.test(length)) return undefined
  const size = Number(length)
  if (kind === 'blobs') return checked(reply, 'application/octet-stream', digest, size)
  const mediaType = contentType(reply)
  // What serves files does not know; what is in the document does.
  if (mediaType === undefined || !(isManifest(mediaType) || isIndex(mediaType) || isDockerSchema1(mediaType)))
    return undefined
  if (size > maxDocumentSize) throw nonsense(reply, `has ${size} bytes, more than ${maxDocumentSize}`)
  return checked(reply, mediaType, digest, size)
}

function checked(reply: Reply, mediaType: string | undefined, digest: Digest, size: number): Descriptor {
  if (mediaType === undefined) throw nonsense(reply, 'is no manifest')
  const descriptor = { mediaType, digest, size }
  assertDescriptor(descriptor, redactUrl(reply.url))
  return descriptor
}

function contentType(reply: Reply): string | undefined {
  return singleHeader(reply, 'content-type')?.split(';')[0]?.trim().toLowerCase()
}

function nonsense(reply: Reply, why: string): NsboxError {
  return new NsboxError('invalid_argument', `${redactUrl(reply.url)}: the reply ${why}`)
}
