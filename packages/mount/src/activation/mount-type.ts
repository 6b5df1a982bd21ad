import { NsboxError, quoted } from '@nsbox/errors'

/** What is done to a mount before it is made. */
export type Transformation = 'format' | 'mkdir'

/** The type of a mount, taken apart. */
export interface MountType {
  /** In their order. */
  readonly transformations: readonly Transformation[]
  /** What is then mounted: a file system, `bind` or `loop`. */
  readonly type: string
}

const known: ReadonlySet<string> = new Set<Transformation>(['format', 'mkdir'])

/**
 * Takes a type such as `format/mkdir/overlay` apart.
 * @throws `unimplemented` for a transformation that is not known, such as `mkfs`
 */
export function parseMountType(text: string): MountType {
  const transformations = text.split('/')
  const type = transformations.pop() as string
  const unknown = transformations.find((name) => !known.has(name))
  if (unknown !== undefined)
    throw new NsboxError('unimplemented', `transformation ${quoted(unknown)} of mount type ${quoted(text)}`)
  return { transformations: transformations as Transformation[], type }
}
