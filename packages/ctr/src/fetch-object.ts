import type { AbortOptions } from '@nsbox/core/content'
import type { Remote } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import { createHasher, digestAlgorithm } from '@nsbox/oci'

/**
 * The manifest or blob that a remote's reference names. The bytes come before their digest is verified, so do not trust
 * them before the iteration has ended.
 *
 * @param options.mediaType what to ask for; as the registry describes it by default
 * @throws `data_loss` at the end if the bytes do not match the reference's digest
 */
export async function* fetchObject(
  remote: Remote,
  { mediaType, ...options }: { readonly mediaType?: string | undefined } & AbortOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const resolved = await remote.resolve(options)
  const descriptor = mediaType === undefined ? resolved : { ...resolved, mediaType }
  const hasher = createHasher(digestAlgorithm(descriptor.digest))
  for await (const chunk of remote.fetch(descriptor, options)) {
    hasher.update(chunk)
    yield chunk
  }
  const actual = hasher.digest()
  if (actual !== descriptor.digest) {
    throw new NsboxError('data_loss', `object ${descriptor.digest}: the bytes received have digest ${actual}`)
  }
}
