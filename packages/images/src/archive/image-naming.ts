import { NsboxError, quoted } from '@nsbox/errors'
import { type Descriptor, imageNameAnnotation, refNameAnnotation } from '@nsbox/oci'

/** How images of an archive are named. */
export interface ImageNaming {
  /**
   * What a tag alone is a tag of: with `foo/bar`, the tag `v1` is the image `foo/bar:v1`. Without it an image that has
   * only a tag has no name.
   */
  readonly baseName?: string | undefined
  /** Leave out whole references that do not begin with `baseName`; not by default. */
  readonly onlyBaseName?: boolean | undefined
  /** Leave out whole names that an annotation gives in that case too, as transfers of containerd do; not by default. */
  readonly filterWholeNames?: boolean | undefined
  /** Which images are named `<baseName>@<digest>` as well; none by default. */
  readonly digestNames?: 'none' | 'unnamed' | 'all' | undefined
}

const maxName = 4096

/**
 * The names that a manifest of an archive's index gets, in the way of containerd's clients: the whole name that an
 * annotation gives, else its reference, completed by the base name.
 *
 * @throws `invalid_argument` for a name with control characters or more than 4096 characters
 */
export function imageNames({ annotations, digest }: Descriptor, naming: ImageNaming): string[] {
  const { baseName, digestNames = 'none' } = naming
  const whole = annotation(annotations, imageNameAnnotation)
  const name =
    whole === undefined
      ? completed(annotation(annotations, refNameAnnotation), naming)
      : naming.filterWholeNames && completed(whole, naming) !== whole
        ? undefined
        : whole
  const names = name === undefined ? [] : [name]
  if (
    baseName !== undefined &&
    (digestNames === 'all' || (digestNames === 'unnamed' && name === undefined))
  ) {
    names.push(`${baseName}@${digest}`)
  }
  for (const each of names) {
    if (each.length > maxName || /\p{Cc}/u.test(each)) {
      throw new NsboxError('invalid_argument', `image name ${quoted(each)}`)
    }
  }
  return names
}

function annotation(annotations: Descriptor['annotations'], key: string): string | undefined {
  return annotations !== undefined && Object.hasOwn(annotations, key)
    ? annotations[key] || undefined
    : undefined
}

function completed(
  reference: string | undefined,
  { baseName, onlyBaseName }: ImageNaming,
): string | undefined {
  if (reference === undefined) return undefined
  if (!/[/:@]/.test(reference)) return baseName === undefined ? undefined : `${baseName}:${reference}`
  return onlyBaseName && !beginsWith(reference, baseName ?? '') ? undefined : reference
}

/** Whether a reference begins with whole parts: `foo/ba` does not begin `foo/bar:v1`. */
export function beginsWith(reference: string, baseName: string): boolean {
  const rest = reference.slice(baseName.length)
  return reference.startsWith(baseName) && /^(?:$|[/:@])/.test(rest)
}
