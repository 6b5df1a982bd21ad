import { runYielding } from '@nsbox/concurrency'
import { NsboxError } from '@nsbox/errors'
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
import { backOff } from '../http/retry-with-backoff.ts'
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
 * Adds a referrer to the tag's index, and sees that it stays. Registries that know conditions keep what others add at
 * the same time. Elsewhere a client that has read the list before may replace it, by one without the referrer; so the
 * list is read again a moment later, and the referrer added to it once more if it is gone.
 *
 * @throws `resource_exhausted` for an index that would be too large; `aborted` if others always replace the list; the
 * errors of `responseError`
 */
export async function addToReferrersTag(
  client: RegistryClient,
  host: RegistryHost,
  place: ReferrersPlace,
  referrer: Descriptor,
): Promise<void> {
  const { limits } = client
  for (let attempt = 0; ; attempt += 1) {
    const found = await readReferrersTag(client, host, place)
    const listed = found?.index.manifests ?? []
    if (listed.some(({ digest }) => digest === referrer.digest)) return
    if (attempt === limits.attempts)
      throw new NsboxError(
        'aborted',
        `${place.repository}:${referrersTag(place.subject)}: other clients keep replacing the list of referrers`,
      )
    const bytes = indexOf([...listed, referrer], found?.index.annotations)
    const isWritten = await writeReferrersTag(client, host, place, { bytes, state: found?.state })
    // Who had read the list before has written by then.
    if (isWritten) await backOff(undefined, 1, limits, place)
  }
}

/** @returns whether it was written: the list may have changed meanwhile */
async function writeReferrersTag(
  client: RegistryClient,
  host: RegistryHost,
  { repository, subject, ...common }: ReferrersPlace,
  { bytes, state }: { readonly bytes: Buffer; readonly state: string | undefined },
): Promise<boolean> {
  const tag = referrersTag(subject)
  if (bytes.byteLength > maxDocumentSize)
    throw new NsboxError('resource_exhausted', `${repository}:${tag}: the list of referrers is full`)
  const headers = {
    'content-type': mediaTypes.ociIndex,
    'content-length': String(bytes.byteLength),
    ...(state !== undefined && { 'if-match': state }),
  }
  const body = async function* () {
    yield bytes
  }
  const at = [repository, 'manifests', tag]
  const accepted = [200, 201, 202, preconditionFailed]
  const reply = await client.request(host, { ...common, method: 'PUT', at, headers, body }, accepted)
  await discard(reply)
  return reply.status !== preconditionFailed
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
