import { NsboxError, quoted } from '@nsbox/errors'
import { type Descriptor, imageNameAnnotation, refNameAnnotation } from '@nsbox/oci'

/** How to name images of an archive. */
export interface ImageNaming {
  /**
   * The name for mere tags: with `foo/bar`, the tag `v1` is the image `foo/bar:v1`. Without it an image with only a tag
   * has no name.
   */
  readonly baseName?: string | undefined
  /** Leave out whole references that do not begin with `baseName`; not by default. */
  readonly onlyBaseName?: boolean | undefined
  /** Then also leave out whole names from annotations, as transfers of containerd do; not by default. */
  readonly filterWholeNames?: boolean | undefined
  /** Which images are also named `<baseName>@<digest>`; none by default. */
  readonly digestNames?: 'none' | 'unnamed' | 'all' | undefined
}

const maxName = 4096

/**
 * The names for a manifest of an archive's index, as in containerd's clients: the whole name in an annotation, or else
 * its reference, completed by the base name.
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

/** Whether a reference begins with whole parts: `foo/ba` is not the beginning of `foo/bar:v1`. */
export function beginsWith(reference: string, baseName: string): boolean {
  const rest = reference.slice(baseName.length)
  return reference.startsWith(baseName) && /^(?:$|[/:@])/.test(rest)
}
