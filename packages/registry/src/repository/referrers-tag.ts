import { runYielding } from '@nsbox/concurrency'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import {
  type Descriptor,
  type Digest,
  descriptorJson,
  digestAlgorithm,
  digestHex,
  digestOf,
  type Index,
  indexSteps,
  maxDocumentSize,
  mediaTypes,
} from '@nsbox/oci'
import type { RegistryHost } from '../hosts/registry-host.ts'
import { discard, type Reply, singleHeader } from '../http/exchange.ts'
import { withoutSecrets } from '../http/redact.ts'
import { readBody } from '../http/response-body.ts'
import type { RegistryLimits } from '../limits.ts'
import type { ApiRequest, RegistryClient } from './registry-client.ts'

/** The repository of referrers, and what every request of a call has. */
export interface ReferrersPlace extends Pick<ApiRequest, 'scopes' | 'reference' | 'signal'> {
  readonly repository: string
  readonly subject: Digest
}

/** Status of an answer to a condition that does not hold any more (RFC 9110, section 15.5.13). */
const preconditionFailed = 412

/**
 * The tag that lists the referrers of a subject at registries that do not list them themselves (OCI distribution
 * specification, "Referrers Tag Schema").
 */
function referrersTag(subject: Digest): string {
  return `${digestAlgorithm(subject)}-${digestHex(subject).slice(0, 64)}`
}

/**
 * A document that lists referrers.
 * @throws `invalid_argument` if it is no OCI index
 */
export async function readReferrers(reply: Reply, limits: RegistryLimits): Promise<Index> {
  const bytes = await readBody(reply.body, `GET ${reply.address}`, maxDocumentSize, limits)
  const described = { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes) }
  try {
    return await runYielding(indexSteps(bytes, described))
  } catch (error) {
    throw withoutSecrets(error, reply.secrets)
  }
}

/** The index that the tag has, and what tells its state; undefined if there is no such tag. */
export async function readReferrersTag(
  client: RegistryClient,
  host: RegistryHost,
  { repository, subject, ...common }: ReferrersPlace,
): Promise<{ readonly index: Index; readonly state: string | undefined } | undefined> {
  const at = [repository, 'manifests', referrersTag(subject)]
  const headers = { accept: mediaTypes.ociIndex }
  const reply = await client.request(host, { ...common, method: 'GET', at, headers }, [200, 404])
  if (reply.status === 404) {
    await discard(reply)
    return undefined
  }
  return { index: await readReferrers(reply, client.limits), state: singleHeader(reply, 'etag') }
}

/**
 * Adds a referrer to the tag's index, unless it is there. What others add at the same time is kept where the registry
 * knows conditions; elsewhere the last one wins, as the specification has it.
 *
 * @throws `resource_exhausted` for an index that would be too large; the errors of `responseError`
 */
export async function addToReferrersTag(
  client: RegistryClient,
  host: RegistryHost,
  place: ReferrersPlace,
  referrer: Descriptor,
): Promise<void> {
  const { repository, subject, ...common } = place
  const tag = referrersTag(subject)
  for (let attempt = 1; ; attempt += 1) {
    const found = await readReferrersTag(client, host, place)
    const listed = found?.index.manifests ?? []
    if (listed.some(({ digest }) => digest === referrer.digest)) return
    const bytes = indexOf([...listed, referrer], found?.index.annotations)
    if (bytes.byteLength > maxDocumentSize)
      throw new NsboxError('resource_exhausted', `${repository}:${tag}: the list of referrers is full`)
    const headers = {
      'content-type': mediaTypes.ociIndex,
      'content-length': String(bytes.byteLength),
      ...(found?.state !== undefined && { 'if-match': found.state }),
    }
    const body = async function* () {
      yield bytes
    }
    const at = [repository, 'manifests', tag]
    try {
      await discard(
        await client.request(host, { ...common, method: 'PUT', at, headers, body }, [200, 201, 202]),
      )
      return
    } catch (error) {
      const isStale = isNsboxError(error) && error.details.status === preconditionFailed
      if (!isStale || attempt >= client.limits.attempts) throw error
    }
  }
}

function indexOf(manifests: readonly Descriptor[], annotations: Index['annotations']): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: manifests.map(descriptorJson),
      ...(annotations && { annotations }),
    }),
  )
}
