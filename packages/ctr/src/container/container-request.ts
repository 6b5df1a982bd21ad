import { NsboxError } from '@nsbox/errors'
import { requireId } from '../require-id.ts'
import type { ContainerFlags } from './container-flags.ts'

/** What container to make. */
export interface ContainerRequest {
  readonly id: string
  /**
   * Source of the root filesystem: an image by its name, or a directory; undefined if the spec from a file names it.
   */
  readonly from: { readonly image: string } | { readonly directory: string } | undefined
  /** Program and arguments in place of the image's. */
  readonly args: readonly string[]
  readonly flags: ContainerFlags
}

/** Reads `[image or directory, id, ...program]`, or `[id]` if the spec comes from a file. @throws `invalid_argument` */
export function containerRequest(flags: ContainerFlags, args: readonly string[]): ContainerRequest {
  if (flags.config !== undefined) {
    const [id, ...others] = args
    if (others.length > 0) throw refuse('with spec config file, only container id should be provided')
    return { id: requireId(id), from: undefined, args: [], flags }
  }
  const [image, id, ...program] = args
  if (!image) throw refuse(flags.rootfs ? 'a directory must be provided' : 'image ref must be provided')
  const from = flags.rootfs ? { directory: image } : { image }
  return { id: requireId(id), from, args: program, flags }
}

function refuse(why: string): NsboxError {
  return new NsboxError('invalid_argument', why)
}
