import { NsboxError, quoted } from '@nsbox/errors'

/** A step before a mount is made. */
export type Transformation = 'format' | 'mkdir'

/** The parsed type of a mount. */
export interface MountType {
  /** In their order. */
  readonly transformations: readonly Transformation[]
  /** The type to mount: a file system, `bind` or `loop`. */
  readonly type: string
}

const known: ReadonlySet<string> = new Set<Transformation>(['format', 'mkdir'])

/**
 * Parses a type such as `format/mkdir/overlay`.
 * @throws `unimplemented` for an unknown transformation, such as `mkfs`
 */
export function parseMountType(text: string): MountType {
  const transformations = text.split('/')
  const type = transformations.pop() as string
  const unknown = transformations.find((name) => !known.has(name))
  if (unknown !== undefined)
    throw new NsboxError('unimplemented', `transformation ${quoted(unknown)} of mount type ${quoted(text)}`)
  return { transformations: transformations as Transformation[], type }
}
