import { isNsboxError, NsboxError } from '@nsbox/errors'
import { type Digest, parseReference, type Reference } from '@nsbox/oci'
import { repositoryScope } from '../auth/scope.ts'
import type { RegistryHost } from '../hosts/registry-host.ts'
import { discard, type Reply, singleHeader } from '../http/exchange.ts'
import { redactUrl } from '../http/redact.ts'
import type { ApiRequest, RegistryClient } from './registry-client.ts'

/** Most repositories to try to mount a blob from. */
const maxMounts = 3
/** Milliseconds for cancelling an upload. */
const cancelTimeout = 2_000

type Common = Pick<ApiRequest, 'scopes' | 'reference' | 'signal'>

export interface UploadRequest extends Common {
  readonly repository: Reference
  readonly digest: Digest
  /** Repositories of this registry that may hold the blob; the first few are tried. */
  readonly mountFrom: readonly string[]
}

/**
 * Starts an upload, unless the blob can be mounted from another repository of the registry.
 *
 * @returns where to send the bytes
 * @throws `failed_precondition` if the registry names another origin (docs/threat-model.md C04); `invalid_argument` if
 * it names none, or for an invalid repository name (docs/threat-model.md C10)
 */
export async function startUpload(
  client: RegistryClient,
  host: RegistryHost,
  request: UploadRequest,
): Promise<URL | 'mounted'> {
  const { repository, digest, mountFrom } = request
  const common = { scopes: request.scopes, reference: request.reference, signal: request.signal }
  const post = {
    ...common,
    method: 'POST',
    at: [repository.repository, 'blobs', 'uploads', ''],
    headers,
  } as const
  let location: URL | undefined
  for (const from of mountFrom.slice(0, maxMounts)) {
    if (from === repository.repository) continue
    parseReference(`${repository.host}/${from}`)
    if (location) await cancelUpload(client, host, location, common)
    const reply = await mount(client, host, {
      ...post,
      query: { mount: digest, from },
      scopes: [...post.scopes, repositoryScope(from, 'pull')],
    })
    if (reply?.status === 201 && isOf(reply, digest)) return 'mounted'
    location = reply?.status === 202 ? uploadLocation(reply, host) : undefined
  }
  if (location) return location
  const reply = await client.request(host, post, [202])
  await discard(reply)
  return uploadLocation(reply, host)
}

const headers = { 'content-length': '0' }

/** Whether an answer, if it says what is in the repository now, says that it is the blob. */
function isOf(reply: Reply, digest: Digest): boolean {
  const stated = singleHeader(reply, 'docker-content-digest')
  return stated === undefined || stated === digest
}

/** Undefined if the registry refuses, for whatever reason: mounting is only a shortcut. */
async function mount(
  client: RegistryClient,
  host: RegistryHost,
  request: ApiRequest,
): Promise<Reply | undefined> {
  try {
    const reply = await client.request(host, request, [201, 202])
    await discard(reply)
    return reply
  } catch (error) {
    // Without a status there was no answer, and there will be none to the upload.
    if (isNsboxError(error) && error.details.status !== undefined) return undefined
    throw error
  }
}

/** Cancels an upload, as far as that succeeds. */
export async function cancelUpload(
  client: RegistryClient,
  host: RegistryHost,
  location: URL,
  common: Common,
): Promise<void> {
  const signal = AbortSignal.timeout(cancelTimeout)
  try {
    await discard(
      await client.request(host, { ...common, signal, method: 'DELETE', at: location }, [200, 204]),
    )
  } catch {
    // The upload expires.
  }
}

function uploadLocation(reply: Reply, host: RegistryHost): URL {
  const context = `POST ${reply.address}`
  const text = singleHeader(reply, 'location')
  if (text === undefined || !URL.canParse(text, reply.url.href))
    throw new NsboxError(
      'invalid_argument',
      `${context}: the registry does not say where to send the content`,
    )
  const location = new URL(text, reply.url)
  if (location.origin !== host.origin)
    throw new NsboxError(
      'failed_precondition',
      `${context}: upload to ${redactUrl(location, reply.secrets)} refused, it is elsewhere`,
    )
  location.username = ''
  location.password = ''
  location.hash = ''
  return location
}
