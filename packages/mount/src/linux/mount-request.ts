import { NsboxError } from '@nsbox/errors'
import { type ParsedMountOptions, parseMountOptions } from '../mount-options.ts'
import type { Mount } from '../mount-record.ts'
import { type OverlayLayers, takeOverlayLayers } from '../overlay.ts'

/** A mount whose options are read and fit together. */
export interface MountRequest extends ParsedMountOptions {
  readonly type: string
  readonly source: string
  /** The directories of an overlay, taken out of its options. */
  readonly layers?: OverlayLayers
  /** Whether the source is a file to mount by a loop device. */
  readonly loop?: boolean
}

/** @throws `invalid_argument` if its options do not fit together */
export function mountRequest(mount: Mount): MountRequest {
  const { type, source } = mount
  const parsed = parseMountOptions(mount.options)
  const bind = parsed.bind ?? (type === 'bind' ? 'single' : undefined)
  const refuse = (why: string) => new NsboxError('invalid_argument', why)
  if (bind !== undefined) {
    const other = [
      ...parsed.superblock.filter((word) => word !== 'ro' && word !== 'rw'),
      ...parsed.fileSystem.map(({ key }) => key),
    ]
    // The kernel would ignore them.
    if (other.length > 0) throw refuse(`options of a bind mount that has no use for them: ${other.join(' ')}`)
    return { ...parsed, bind, type, source }
  }
  if (parsed.remount) throw refuse('remount without bind')
  if (type === '') throw refuse('mount without a type')
  if (type !== 'overlay') {
    const fileSystem = parsed.fileSystem.filter(({ key, value }) => key !== 'loop' || value !== undefined)
    return { ...parsed, fileSystem, loop: fileSystem.length < parsed.fileSystem.length, type, source }
  }
  const { layers, others } = takeOverlayLayers(parsed.fileSystem)
  return { ...parsed, fileSystem: others, layers, type, source }
}
