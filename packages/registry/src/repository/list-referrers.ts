import type { AbortOptions } from '@nsbox/core/content'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, type Digest, formatReference, mediaTypes, type Reference } from '@nsbox/oci'
import { repositoryScope } from '../auth/scope.ts'
import type { RegistryHost } from '../hosts/registry-host.ts'
import { discard, type Reply, singleHeader } from '../http/exchange.ts'
import { redactUrl } from '../http/redact.ts'
import { retryWithBackoff } from '../http/retry-with-backoff.ts'
import { type ReferrersPlace, readReferrers, readReferrersTag } from './referrers-tag.ts'
import type { ApiRequest, RegistryClient } from './registry-client.ts'

/** Most documents, and most referrers in all, that a list may have (docs/threat-model.md C04). */
const most = { pages: 100, referrers: 10_000 }

/** Statuses by which registries say that they do not know the call. */
const noSuchCall = [404, 405, 501]

export interface ReferrersRequest extends AbortOptions {
  readonly reference: Reference
  readonly subject: Digest
  /** Only referrers of this type; all of them by default. */
  readonly artifactType?: string | undefined
}

/**
 * The manifests of a repository that refer to a subject, each once: as the registry lists them, or by the tag that
 * stands in for that (OCI distribution specification, "Listing Referrers"). Nobody proves what a list says.
 *
 * @throws `resource_exhausted` for too long a list; `failed_precondition` for one that goes on at another origin;
 * `invalid_argument` for a malformed one; the errors of `responseError`
 */
export async function listReferrersAt(
  client: RegistryClient,
  host: RegistryHost,
  { reference, subject, artifactType, signal }: ReferrersRequest,
): Promise<readonly Descriptor[]> {
  const { repository } = reference
  const place: ReferrersPlace = {
    repository,
    subject,
    scopes: [repositoryScope(repository, 'pull')],
    reference: formatReference(reference),
    signal,
  }
  const list = async () => {
    const api = await listed(client, host, place, artifactType)
    return api ?? (await readReferrersTag(client, host, place))?.index.manifests ?? []
  }
  const found = await retryWithBackoff(list, client.limits, { signal })
  const each = new Map(found.map((descriptor) => [descriptor.digest, descriptor]))
  // Not every registry filters.
  return [...each.values()].filter(
    (descriptor) => artifactType === undefined || descriptor.artifactType === artifactType,
  )
}

/** All pages of the registry's own list; undefined if it does not list referrers. */
async function listed(
  client: RegistryClient,
  host: RegistryHost,
  { repository, subject, ...common }: ReferrersPlace,
  artifactType: string | undefined,
): Promise<readonly Descriptor[] | undefined> {
  const found: Descriptor[] = []
  let at: ApiRequest['at'] = [repository, 'referrers', subject]
  for (let page = 1; ; page += 1) {
    const query = artifactType === undefined ? undefined : { artifactType }
    const request: ApiRequest = {
      ...common,
      method: 'GET',
      at,
      query,
      headers: { accept: mediaTypes.ociIndex },
    }
    const reply = await client.request(host, request, page === 1 ? [200, ...noSuchCall] : [200])
    if (page === 1 && (reply.status !== 200 || !isIndexReply(reply))) {
      await discard(reply)
      return undefined
    }
    const context = `GET ${reply.address}`
    const index = await readReferrers(reply, client.limits)
    found.push(...index.manifests)
    const next = nextPage(reply, host)
    if (next === undefined) return found
    if (page === most.pages || found.length > most.referrers)
      throw new NsboxError('resource_exhausted', `${context}: the list of referrers does not end`)
    at = next
  }
}

/** Servers of files have pages of their own for what they do not know. */
function isIndexReply(reply: Reply): boolean {
  return singleHeader(reply, 'content-type')?.split(';')[0]?.trim().toLowerCase() === mediaTypes.ociIndex
}

/** Where the list goes on, by its header `Link` (RFC 8288). */
function nextPage(reply: Reply, host: RegistryHost): URL | undefined {
  const link = singleHeader(reply, 'link')
  if (link === undefined) return undefined
  const context = `GET ${reply.address}`
  const target = /^\s*<([^<>]*)>\s*;\s*rel\s*=\s*"?next"?\s*$/i.exec(link)?.[1]
  if (target === undefined || !URL.canParse(target, reply.url.href))
    throw new NsboxError('invalid_argument', `${context}: the list of referrers goes on nowhere`)
  const next = new URL(target, reply.url)
  if (next.origin !== host.origin)
    throw new NsboxError(
      'failed_precondition',
      `${context}: more of the list at ${redactUrl(next, reply.secrets)} refused, it is elsewhere`,
    )
  next.username = ''
  next.password = ''
  next.hash = ''
  return next
}
