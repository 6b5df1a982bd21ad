import type { ImageEndpoint } from '@nsbox/core/transfer'
import type { Descriptor } from '@nsbox/oci'

/**
 * The names that a destination gives what is put there: its own and those of its references that are whole names, with
 * the digest where they say so. Prefixes name only what comes out of an archive.
 */
export function imageNames(
  { name, references = [] }: Pick<ImageEndpoint, 'name' | 'references'>,
  { digest }: Pick<Descriptor, 'digest'>,
): string[] {
  const whole = references.filter(({ isPrefix = false }) => !isPrefix)
  const others = whole.map((reference) =>
    reference.addDigest ? `${reference.name}@${digest}` : reference.name,
  )
  return [...new Set([...(name === '' ? [] : [name]), ...others])]
}
