import type { ClientView } from '@nsbox/client'
import { isInvalidArgument, isNotFound } from '@nsbox/errors'
import { normalizeReference } from '@nsbox/oci'

/** How a command reads the names of images. */
export interface NameOptions {
  /** Whether they may be short, as users of docker write them: `redis` for `docker.io/library/redis:latest`. */
  readonly shortNames?: boolean
}

/** What reads a reference of a registry; undefined for one that takes it as it is. */
export function referenceReader({ shortNames = false }: NameOptions): ((text: string) => string) | undefined {
  return shortNames ? normalizeReference : undefined
}

/** The name under which an image is stored: as it is given if there is such an image, else in full. */
export async function storedName(
  { images }: Pick<ClientView, 'images'>,
  name: string,
  { shortNames = false, signal }: NameOptions & { readonly signal?: AbortSignal },
): Promise<string> {
  const full = shortNames ? fullName(name) : name
  if (full === name) return name
  try {
    await images.get(name, { signal })
    return name
  } catch (error) {
    if (isNotFound(error)) return full
    throw error
  }
}

/** A name in full; one that is no reference, as it is. */
function fullName(name: string): string {
  try {
    return normalizeReference(name)
  } catch (error) {
    if (isInvalidArgument(error)) return name
    throw error
  }
}
